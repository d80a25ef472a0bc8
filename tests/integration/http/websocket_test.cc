// Upgraded connections: how long they live, how they end, and ten thousand of them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <random>
#include <ranges>
#include <thread>

#include "tests/integration/http/memory.h"
#include "tests/integration/http/wire.h"
#include "tests/unit/core/http/raw_http2.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

using namespace std::string_literals;

const std::string kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const std::string kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

// A WebSocket server as far as the activator can tell: it sends back what comes.
http::Task<void> EchoTunnel(http::Exchange& exchange) {
  http::ResponseHead head;
  head.status = 101;
  head.headers = {{"Upgrade", "websocket"},
                  {"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}};
  http::Part part{&head, {}, false, nullptr};
  Status sent = co_await exchange.Send(part);
  while (sent && !part.last) {
    const Result<std::string_view> piece = co_await exchange.ReadView();
    if (!piece) co_return;
    part = {nullptr, *piece, piece->empty(), nullptr};
    sent = co_await exchange.Send(part);
  }
}

RawClient OpenSocket(uint16_t port) {
  RawClient client(port);
  client.Send(kUpgrade);
  EXPECT_TRUE(client.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  return client;
}

RevisionSettings Short() {
  RevisionSettings settings;
  settings.timeout = Seconds(60);
  settings.response_start_timeout = Millis(150);
  settings.idle_timeout = Millis(500);
  return settings;
}

TEST(WebSocketTest, LivesOnWithTrafficAndNoLongerThanItsTimeoutsWithout) {
  http::TestServer backend(EchoTunnel);
  ActivatorFixture activator(Workers(2), Short());
  activator.SetPorts({backend.port()});
  RawClient client = OpenSocket(activator.port());
  const TimePoint start = RealClock().Now();
  Loop pace;
  int echoed = 0;
  for (int i = 1; i <= 12; ++i) {
    pace.After(Millis(80 * i), [&client, &echoed] {
      client.Send("ping");
      echoed += client.ReadExactly(4) == "ping" ? 1 : 0;
    });
  }
  pace.After(Millis(970), [&pace] { pace.Stop(); });
  pace.Run();
  EXPECT_EQ(echoed, 12);
  const TimePoint last = RealClock().Now();
  EXPECT_GT(last - start, Millis(900));
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.closed());
  EXPECT_GE(RealClock().Now() - last, Millis(400));
  EXPECT_LT(RealClock().Now() - last, Seconds(5));
  while (activator.in_flight(backend.port()) != 0) poll(nullptr, 0, 1);
}

TEST(WebSocketTest, EchoesMegabytesInPiecesOfAnySize) {
  http::TestServer backend(EchoTunnel);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  RawClient client = OpenSocket(activator.port());
  constexpr size_t kBytes = 64 << 20;
  std::string text(1 << 20, ' ');
  std::minstd_rand random(1);
  for (char& c : text) c = static_cast<char>(random());
  std::thread sender([&client, &text] {
    std::minstd_rand sizes(2);
    for (size_t sent = 0; sent < kBytes;) {
      const size_t at = sent % text.size();
      const size_t size = std::min({size_t{1} + sizes() % 65'536, text.size() - at, kBytes - sent});
      client.Send(std::string_view(text).substr(at, size));
      sent += size;
    }
    client.FinishWriting();
  });
  bool same = true;
  for (size_t received = 0; received < kBytes && same; received += text.size())
    same = client.ReadExactly(text.size()) == text;
  sender.join();
  EXPECT_TRUE(same);
  EXPECT_EQ(client.ReadAll(), "");  // each side has closed its half
  EXPECT_FALSE(client.was_reset());
}

TEST(WebSocketTest, WhatIsSentBehindTheRequestIsNotReadAsHttpBeforeTheAnswer) {
  Wire wire;
  RawClient instance = wire.Take(kUpgrade + kGet);
  pollfd waiting{instance.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 50), 0);
  instance.Send(kSwitched);
  EXPECT_EQ(instance.ReadExactly(std::string(kGet).size()), kGet);
  EXPECT_FALSE(wire.backend().HasConnection());
}

TEST(WebSocketTest, ARefusedUpgradeIsAnAnswerAndTheNextRequestFollows) {
  Wire wire;
  RawClient instance = wire.Take(kUpgrade + kGet);
  instance.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "no");
  EXPECT_TRUE(instance.ReadUntil("\r\n\r\n").starts_with("GET /x "));
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "ok");
}

TEST(WebSocketTest, AnotherProtocolThanWasAskedForIsNoAnswer) {
  for (const char* other : {"Upgrade: h2c\r\n", "Upgrade: websocket, h2c\r\n", ""}) {
    Wire wire;
    RawClient instance = wire.Take(kUpgrade);
    instance.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"s + other +
                  "\r\nsecret");
    const std::string answer = wire.client().ReadResponse();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 ")) << answer;
    EXPECT_FALSE(Has(answer, "secret"));
  }
}

TEST(WebSocketTest, AnUpgradeWithinABodyIsNoAnswer) {
  Wire wire;
  RawClient instance = wire.Take(
      "POST / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: "
      "websocket\r\nContent-Length: 10\r\n\r\nhalf");
  instance.ReadUntil("half");
  instance.Send(kSwitched + "secret");
  const std::string answer = wire.client().ReadResponse();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 ")) << answer;
  wire.client().FinishWriting();
  EXPECT_FALSE(Has(wire.client().ReadAll(), "secret"));
  EXPECT_EQ(instance.ReadAll(), "");
}

TEST(WebSocketTest, AKilledInstanceIsSeenAtOnceAndTheSlotIsFree) {
  Wire wire;
  RawClient instance = wire.Take(kUpgrade);
  instance.Send(kSwitched + "hello");
  wire.client().ReadUntil("hello");
  const TimePoint start = RealClock().Now();
  instance.Reset();
  EXPECT_EQ(wire.client().ReadAll(), "");
  EXPECT_TRUE(wire.client().closed());
  EXPECT_LT(RealClock().Now() - start, Seconds(5));  // 100 ms on a machine with nothing else to do
  wire.WaitUntilIdle();
}

TEST(WebSocketTest, ADrainLetsThemRunUntilItsDeadline) {
  http::TestServer backend(EchoTunnel);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  RawClient client = OpenSocket(activator.port());
  std::promise<void> drained;
  activator.pool().Drain(RealClock().Now() + Millis(300), [&drained] { drained.set_value(); });
  client.Send("still there");
  EXPECT_EQ(client.ReadExactly(11), "still there");
  drained.get_future().wait();
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.closed());
}

// An instance in a process of its own: its descriptors do not count against the test's.
class InstanceProcess {
 public:
  // REQUIRES: no other thread runs.
  InstanceProcess() {
    int port_pipe[2];
    int life_pipe[2];
    UPDRAFT_CHECK(pipe2(port_pipe, O_CLOEXEC) == 0 && pipe2(life_pipe, O_CLOEXEC) == 0);
    pid_ = fork();
    UPDRAFT_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      close(life_pipe[1]);
      Serve(port_pipe[1], life_pipe[0]);
    }
    close(port_pipe[1]);
    close(life_pipe[0]);
    life_ = UniqueFd(life_pipe[1]);
    const UniqueFd told(port_pipe[0]);
    UPDRAFT_CHECK(read(told.get(), &port_, sizeof port_) == sizeof port_);
  }
  ~InstanceProcess() {
    life_.Reset();
    waitpid(pid_, nullptr, 0);
  }
  InstanceProcess(const InstanceProcess&) = delete;
  InstanceProcess& operator=(const InstanceProcess&) = delete;
  uint16_t port() const { return port_; }

 private:
  [[noreturn]] static void Serve(int tell, int life) {
    {
      http::TestServer server(EchoTunnel);
      const uint16_t port = server.port();
      if (write(tell, &port, sizeof port) != sizeof port) _exit(1);
      char nothing = 0;
      (void)!read(life, &nothing, 1);  // until the test closes its end, or has died
    }
    _exit(0);
  }

  pid_t pid_ = -1;
  UniqueFd life_;
  uint16_t port_ = 0;
};

// WebSockets over one connection of HTTP/2 (RFC 8441).
class SharedConnection {
 public:
  SharedConnection(uint16_t port, uint32_t sockets) : client_(port), sockets_(sockets) {
    for (uint32_t i = 0; i < sockets_; ++i) {
      client_.Send(http::HeadersFrame(StreamOf(i),
                                      {{":method", "CONNECT"},
                                       {":protocol", "websocket"},
                                       {":scheme", "http"},
                                       {":authority", "app.test"},
                                       {":path", "/ws"},
                                       {"sec-websocket-version", "13"}},
                                      http::kEndHeaders));
    }
  }
  // All are open.
  bool Opened() {
    if (!client_.ReadUntil(
            [this](const http::Seen& seen) { return seen.statuses.size() == sockets_; }))
      return false;
    return std::ranges::all_of(client_.seen().statuses,
                               [](const auto& status) { return status.second == 200; });
  }
  void Say(std::string_view text) {
    for (uint32_t i = 0; i < sockets_; ++i) client_.Send(http::DataFrame(StreamOf(i), text, 0));
  }
  // All have heard it, once.
  bool Heard(const std::string& text) {
    const auto all = [this, &text](const http::Seen& seen) {
      return std::ranges::count(seen.bodies | std::views::values, text) == sockets_;
    };
    const uint32_t last = StreamOf(sockets_ - 1);
    client_.ReadUntil([last](const http::Seen& seen) { return seen.bodies.contains(last); });
    return client_.ReadUntil(all);
  }

 private:
  static uint32_t StreamOf(uint32_t i) { return 2 * i + 1; }

  http::RawHttp2 client_;
  const uint32_t sockets_;
};

// What the descriptors that a process may have are enough for, of ten thousand: two for each socket
// of HTTP/1.1 and one at the instance's side of every one.
size_t SocketsFor(rlim_t descriptors) {
  constexpr rlim_t kFdsElse = 500;
  return std::min<rlim_t>(10'000, (descriptors - kFdsElse) * 10 / 18);
}

// Two of five over HTTP/1.1, the others over HTTP/2; all open at once, and all echo.
TEST(WebSocketTest, TenThousandAtOnce) {
  constexpr uint32_t kStreams = 1000;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const size_t sockets = SocketsFor(limit.rlim_cur) / 1000 * 1000;
  if (sockets < 1000) GTEST_SKIP() << "only " << limit.rlim_max << " open files are allowed";
  if (sockets < 10'000)
    std::printf("not ten thousand: only %zu open files are allowed\n",
                static_cast<size_t>(limit.rlim_max));
  const InstanceProcess backend;
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  { const RawClient first = OpenSocket(activator.port()); }
  const size_t before = ResidentBytes();
  std::vector<std::unique_ptr<SharedConnection>> shared;
  for (size_t left = sockets * 3 / 5; left > 0;) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(left, kStreams));
    shared.push_back(std::make_unique<SharedConnection>(activator.port(), count));
    ASSERT_TRUE(shared.back()->Opened());
    left -= count;
  }
  std::vector<RawClient> own;
  own.reserve(sockets * 2 / 5);
  for (size_t i = 0; i < sockets * 2 / 5; ++i) own.push_back(OpenSocket(activator.port()));
  for (const auto& connection : shared) connection->Say("hello");
  for (RawClient& client : own) client.Send("hello");
  EXPECT_EQ(activator.in_flight(backend.port()), sockets);
  for (const auto& connection : shared) ASSERT_TRUE(connection->Heard("hello"));
  for (RawClient& client : own) ASSERT_EQ(client.ReadExactly(5), "hello");
  const size_t each = (ResidentBytes() - before) / sockets;
  std::printf("%zu sockets; %zu bytes for the ends of client and activator of each\n", sockets,
              each);
  if (kMemoryCounts) {
    EXPECT_LT(each, 32u << 10);
  }
  own.clear();
  shared.clear();
  while (activator.in_flight(backend.port()) != 0) poll(nullptr, 0, 1);
}

}  // namespace
}  // namespace updraft::activator
