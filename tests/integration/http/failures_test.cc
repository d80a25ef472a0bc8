// Slow and hostile clients, and instances that fail.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "core/http/sync.h"
#include "tests/integration/http/wire.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

using namespace std::string_literals;

http::Task<void> AnswerOk(http::Exchange& exchange) {
  (void)co_await exchange.Respond(200, http::Headers(), "ok");
}

http::Task<void> SendMuch(http::Exchange& exchange) {
  (void)co_await exchange.StartResponse(200, http::Headers());
  for (int i = 0; i < 1000; ++i) {
    std::string piece(1 << 16, 'm');
    const Status written = co_await exchange.Write(std::move(piece));
    if (!written) co_return;
  }
  (void)co_await exchange.Finish();
}

WorkerPoolOptions WithTimeouts(Nanos head, Nanos idle) {
  WorkerPoolOptions options = Workers(2);
  options.head_timeout = head;
  options.idle_timeout = idle;
  return options;
}

RevisionSettings Limited(Nanos total, Nanos response_start = Nanos(0), Nanos idle = Nanos(0)) {
  RevisionSettings settings;
  settings.timeout = total;
  settings.response_start_timeout = response_start;
  settings.idle_timeout = idle;
  return settings;
}

// ---- clients

TEST(SlowClientTest, ThousandsOfHeadsThatTakeTooLongAreCutWhileOthersAreServed) {
  http::TestServer backend(AnswerOk);
  ActivatorFixture activator(WithTimeouts(Seconds(1), Seconds(60)), {});
  activator.SetPorts({backend.port()});
  RawClient good(activator.port());
  std::vector<RawClient> slow;
  const TimePoint start = RealClock().Now();
  for (int i = 0; i < 9000; ++i) {
    slow.emplace_back(activator.port());
    slow.back().Send("GET / HTTP/1.1\r\nHost: app.test\r\nX: ");
    if (i % 100 != 0) continue;
    good.Send(kGet);
    ASSERT_EQ(BodyOf(good.ReadResponse()), "ok");
  }
  while (RealClock().Now() - start < Millis(800)) {
    for (RawClient& client : slow) client.Send("x");  // each byte in time, the head never
    good.Send(kGet);
    ASSERT_EQ(BodyOf(good.ReadResponse()), "ok");
  }
  for (RawClient& client : slow) {
    EXPECT_TRUE(client.ReadAll().starts_with("HTTP/1.1 408 "));
    EXPECT_TRUE(client.closed());
  }
  EXPECT_LT(RealClock().Now() - start, Seconds(20));
  good.Send(kGet);
  EXPECT_EQ(BodyOf(good.ReadResponse()), "ok");
}

TEST(SlowClientTest, WhoSaysNothingIsClosedWithoutAWord) {
  ActivatorFixture activator(WithTimeouts(Seconds(60), Millis(100)), {});
  RawClient silent(activator.port());
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_TRUE(silent.closed());
}

TEST(SlowClientTest, ABodyThatTakesTooLongIsCutAtTheRequestsLimit) {
  Wire wire(Limited(Millis(200)));
  RawClient instance =
      wire.Take("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\n");
  Loop pace;
  for (int i = 1; i <= 8; ++i) pace.After(Millis(20 * i), [&wire] { wire.client().Send("b"); });
  pace.After(Millis(165), [&pace] { pace.Stop(); });
  pace.Run();
  const std::string answer = wire.client().ReadResponse();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 504 ")) << answer;
  EXPECT_EQ(instance.ReadAll(), "bbbbbbbb");
  wire.WaitUntilIdle();
}

TEST(SlowClientTest, WhoDoesNotReadIsCutAtTheRequestsLimit) {
  http::TestServer backend(SendMuch);
  ActivatorFixture activator(Workers(2), Limited(Millis(200)));
  activator.SetPorts({backend.port()});
  RawClient client(activator.port());
  client.Send(kGet);
  client.ReadUntil("\r\n\r\n");
  while (activator.in_flight(backend.port()) != 0) poll(nullptr, 0, 1);
  EXPECT_FALSE(client.ReadAll().ends_with("0\r\n\r\n"));
}

// Without descriptors the acceptor waits, and goes on when there are some.
TEST(DescriptorTest, AcceptingGoesOnWhenDescriptorsAreToBeHadAgain) {
  http::TestServer backend(AnswerOk);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  for (int i = 0; i < 8; ++i) {  // every worker has its connection to the instance
    RawClient client(activator.port());
    client.Send(kGet);
    EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  }
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  // Sockets that are there already, and from now on none for the other side.
  std::vector<UniqueFd> waiting;
  for (int i = 0; i < 10; ++i) waiting.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  std::vector<RawClient> clients;
  for (UniqueFd& fd : waiting) {
    const http::SocketAddress address =
        *http::ParseAddress("127.0.0.1:" + std::to_string(activator.port()));
    EXPECT_EQ(connect(fd.get(), &address.any, address.size), 0);
    clients.emplace_back(std::move(fd));
    clients.back().Send(kGet);
  }
  pollfd readable{clients.front().fd(), POLLIN, 0};
  EXPECT_EQ(poll(&readable, 1, 200), 0);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  for (RawClient& client : clients) EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
}

// Each of them has its turn; who finds no descriptor for a connection to the instance waits for one
// that another request is done with.
TEST(DescriptorTest, AThousandClientsAreServedWithDescriptorsForFifty) {
  http::TestServer backend(AnswerOk);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  for (int i = 0; i < 8; ++i) {
    RawClient client(activator.port());
    client.Send(kGet);
    EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  }
  std::vector<UniqueFd> waiting;
  for (int i = 0; i < 1000; ++i)
    waiting.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(waiting.back().get()) + 50;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<RawClient> clients;
  const http::SocketAddress address =
      *http::ParseAddress("127.0.0.1:" + std::to_string(activator.port()));
  for (UniqueFd& fd : waiting) {
    ASSERT_EQ(connect(fd.get(), &address.any, address.size), 0);
    clients.emplace_back(std::move(fd));
    clients.back().Send("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n");
  }
  int answered = 0;
  for (RawClient& client : clients) answered += BodyOf(client.ReadAll()) == "ok" ? 1 : 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(answered, 1000);
}

TEST(DescriptorTest, TenThousandThatConnectAndLeaveCostNobodyAnything) {
  http::TestServer backend(AnswerOk);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  RawClient good(activator.port());
  for (int i = 0; i < 10'000; ++i) {
    RawClient passing(activator.port());
    ASSERT_TRUE(passing.connected()) << i;
    passing.Reset();
    if (i % 500 != 0) continue;
    good.Send(kGet);
    ASSERT_EQ(BodyOf(good.ReadResponse()), "ok") << i;
  }
  RawClient last(activator.port());
  last.Send(kGet);
  EXPECT_EQ(BodyOf(last.ReadResponse()), "ok");
}

// ---- instances

// The last instance goes, again and again, while requests come all the time: those that meet its
// end are inside it until they are done, or wait for the next.
TEST(ScaleToZeroTest, NoRequestIsLostAtTheEndOfTheLastInstance) {
  ActivatorFixture activator(2, 0);
  std::atomic<bool> over = false;
  std::atomic<int> answered = 0;
  std::atomic<int> failed = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      RawClient client(activator.port());
      while (!over) {
        client.Send(kGet);
        ++(BodyOf(client.ReadResponse()) == "ok" ? answered : failed);
      }
    });
  }
  for (int round = 0; round < 100; ++round) {
    http::TestServer instance(AnswerOk);
    const int before = answered;
    activator.SetPorts({instance.port()});
    while (answered < before + 20 && failed == 0) std::this_thread::yield();
    if (round == 99) over = true;
    if (over)
      for (std::thread& client : clients) client.join();
    activator.SetDraining({instance.port()});
    while (activator.in_flight(instance.port()) != 0) poll(nullptr, 0, 1);
  }
  EXPECT_EQ(failed, 0);
  EXPECT_GE(answered, 2000);
}

// An instance that nothing is inside of is stopped as soon as that is said, and some worker hears of
// it later: until then it must not let anybody in either.
TEST(ScaleToZeroTest, NobodyEntersADrainedInstanceThroughAWorkerThatHasNotHeardOfIt) {
  std::atomic<int> entered = 0;
  http::TestServer last([&entered](http::Exchange& exchange) {
    ++entered;
    return AnswerOk(exchange);
  });
  ActivatorFixture activator(2, 0);
  activator.SetPorts({last.port()});
  const auto draining = activator.DecideDraining({last.port()});
  EXPECT_EQ(draining->drained, std::vector{"i-" + std::to_string(last.port())});
  const std::atomic<uint32_t>& queued = draining->table->Find("app.test")->Choose()->queued;

  RawClient client(activator.port());
  client.Send(kGet);
  while (queued == 0 && entered == 0) poll(nullptr, 0, 1);
  ASSERT_EQ(entered, 0);
  activator.Tell(draining);
  activator.events().WaitForDemand();
  http::TestServer next(AnswerOk);
  activator.SetPorts({next.port()});
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  EXPECT_EQ(entered, 0);
}

TEST(FailingInstanceTest, FiftyRequestsOnOneThatDiesAreToldAndTheQueueGoesToTheNext) {
  RawBackend dying;
  http::TestServer next(AnswerOk);
  ActivatorFixture activator(2, 50);
  activator.SetPorts({dying.port()});
  std::vector<RawClient> running;
  std::vector<RawClient> connections;
  for (int i = 0; i < 50; ++i) {
    running.emplace_back(activator.port());
    running.back().Send(kGet);
    connections.push_back(dying.Accept());
    connections.back().ReadUntil("\r\n\r\n");
  }
  std::vector<RawClient> held;
  for (int i = 0; i < 20; ++i) {
    held.emplace_back(activator.port());
    held.back().Send(kGet);
  }
  activator.SetPorts({next.port()});
  for (RawClient& client : held) EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  for (RawClient& connection : connections) connection.Reset();
  for (RawClient& client : running) EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 502 "));
  while (activator.in_flight(next.port()) != 0) poll(nullptr, 0, 1);
}

// A listener whose queue is full answers no handshake.
class Blackhole {
 public:
  Blackhole() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const http::SocketAddress any = *http::ParseAddress("127.0.0.1:0");
    bind(listener_.get(), &any.any, any.size);
    listen(listener_.get(), 0);
    port_ = http::BoundPort(listener_.get());
    const http::SocketAddress address = *http::ParseAddress("127.0.0.1:" + std::to_string(port_));
    for (int i = 0; i < 8; ++i) {
      fillers_.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      connect(fillers_.back().get(), &address.any, address.size);
    }
  }
  uint16_t port() const { return port_; }

 private:
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::vector<UniqueFd> fillers_;
};

TEST(FailingInstanceTest, RefusedAndUnreachableAreToldApartAndAnotherIsTried) {
  // As many as are tried for one request.
  std::vector<std::unique_ptr<Blackhole>> blackholes;
  std::vector<uint16_t> unreachable;
  std::vector<uint16_t> refusing;
  std::vector<RawBackend> reserved(6);
  for (RawBackend& one : reserved) refusing.push_back(one.port());
  reserved.clear();
  for (int i = 0; i < 6; ++i) {
    blackholes.push_back(std::make_unique<Blackhole>());
    unreachable.push_back(blackholes.back()->port());
  }
  http::TestServer good(AnswerOk);
  WorkerPoolOptions options = Workers(2);
  options.proxy.connect_timeout = Millis(100);
  const struct {
    std::vector<uint16_t> ports;
    const char* answer;
  } cases[] = {{refusing, "HTTP/1.1 502 "},
               {unreachable, "HTTP/1.1 504 "},
               {{refusing[0], good.port()}, "HTTP/1.1 200 "},
               {{unreachable[0], good.port()}, "HTTP/1.1 200 "}};
  for (const auto& c : cases) {
    ActivatorFixture activator(options, WithConcurrency(1));  // the first that is free
    activator.SetPorts(c.ports);
    RawClient client(activator.port());
    client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nhi");
    const std::string answer = client.ReadResponse();
    EXPECT_TRUE(answer.starts_with(c.answer)) << answer;
    EXPECT_EQ(Has(answer, "activator could not reach an instance"), c.ports.size() > 2) << answer;
  }
}

// The only one cannot be reached: the request waits for another.
TEST(FailingInstanceTest, WhenNoneIsLeftTheRequestIsHeld) {
  const uint16_t nobody = RawBackend().port();
  http::TestServer good(AnswerOk);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({nobody});
  RawClient client(activator.port());
  client.Send(kGet);
  pollfd readable{client.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&readable, 1, 50), 0);
  activator.SetPorts({good.port()});
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
}

TEST(FailingInstanceTest, OneThatAcceptsAndNeverAnswersIsTimedOut) {
  Wire wire(Limited(Seconds(60), Millis(100)));
  RawClient instance = wire.Take(kGet);
  const std::string answer = wire.client().ReadResponse();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 504 ")) << answer;
  EXPECT_TRUE(Has(answer, "responseStartTimeoutSeconds")) << answer;
  EXPECT_EQ(instance.ReadAll(), "");  // and told
  wire.WaitUntilIdle();
}

}  // namespace
}  // namespace updraft::activator
