// Many clients at once, several workers: nothing lost, nothing doubled, no limit exceeded.
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "core/http/sync.h"
#include "tests/integration/http/activator_fixture.h"
#include "tests/integration/http/memory.h"
#include "tests/unit/core/http/raw_http2.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

using http::Exchange;
using http::RawClient;
using http::Task;

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

// An instance that counts how many requests are inside.
struct Crowd {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> served = 0;
  Nanos work = Millis(1);
};

Task<void> Work(Exchange& exchange, Crowd* crowd) {
  const int inside = ++crowd->inside;
  int most = crowd->most;
  while (inside > most && !crowd->most.compare_exchange_weak(most, inside)) {
  }
  const TimePoint until = exchange.loop().Now() + crowd->work;
  co_await http::SleepUntil(exchange.loop(), until);
  --crowd->inside;
  ++crowd->served;
  (void)co_await exchange.Respond(200, http::Headers(), "ok");
}

void InThreads(int count, const std::function<void(unsigned)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, static_cast<unsigned>(i));
  for (std::thread& thread : threads) thread.join();
}

TEST(LoadTest, AnInstanceNeverHasMoreRequestsThanItsLimit) {
  for (const int limit : {1, 3, 10}) {
    Crowd crowd;
    http::TestServer backend([&crowd](Exchange& exchange) { return Work(exchange, &crowd); });
    ActivatorFixture activator(4, static_cast<uint32_t>(limit));
    activator.SetPorts({backend.port()});
    std::atomic<int> good = 0;
    InThreads(16, [&](unsigned) {
      RawClient client(activator.port());
      for (int i = 0; i < 30; ++i) {
        client.Send(kGet);
        if (client.ReadResponse().starts_with("HTTP/1.1 200 ")) ++good;
      }
    });
    EXPECT_EQ(good, 16 * 30);
    EXPECT_EQ(crowd.served, 16 * 30);
    EXPECT_EQ(crowd.most, limit);
    // A slot is given back after the client has its response.
    for (int tries = 0; activator.in_flight(backend.port()) != 0 && tries < 5000; ++tries)
      poll(nullptr, 0, 1);
    EXPECT_EQ(activator.in_flight(backend.port()), 0u);
  }
}

TEST(LoadTest, ClientsThatLeaveAtAnyMomentTakeNoSlotWithThem) {
  Crowd crowd;
  crowd.work = std::chrono::microseconds(300);
  http::TestServer backend([&crowd](Exchange& exchange) { return Work(exchange, &crowd); });
  ActivatorFixture activator(4, 1);
  activator.SetPorts({backend.port()});
  InThreads(8, [&](unsigned seed) {
    std::minstd_rand random(seed + 1);
    for (int i = 0; i < 200; ++i) {
      RawClient client(activator.port());
      client.Send(kGet);
      if (i % 32 != 0) continue;
      pollfd waiting{client.fd(), POLLIN, 0};
      poll(&waiting, 1, static_cast<int>(random() % 4));
      if (random() % 2 == 0) client.Reset();
    }
  });
  RawClient last(activator.port());
  last.Send(kGet);
  EXPECT_TRUE(last.ReadResponse().starts_with("HTTP/1.1 200 "));
  while (activator.in_flight(backend.port()) != 0) {
  }
}

TEST(LoadTest, ThousandsOfHeldRequestsAreAllAnsweredOnce) {
  Crowd crowd;
  crowd.work = Nanos(0);
  http::TestServer backend([&crowd](Exchange& exchange) { return Work(exchange, &crowd); });
  ActivatorFixture activator(2, 10);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 9000; ++i) {
    clients.push_back(std::make_unique<RawClient>(activator.port()));
    clients.back()->Send(kGet);
  }
  activator.SetPorts({backend.port()});
  for (const auto& client : clients)
    ASSERT_TRUE(client->ReadResponse().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(crowd.served, 9000);
  EXPECT_LE(crowd.most, 10);
}

// An instance that drops every tenth request and counts how often it saw each.
struct Dropper {
  std::mutex mutex;
  std::map<std::string, int> seen;
  int count = 0;
};

Task<void> DropSome(Exchange& exchange, Dropper* dropper) {
  (void)co_await exchange.ReadBody(1 << 20);
  bool drop = false;
  {
    const std::lock_guard lock(dropper->mutex);
    ++dropper->seen[exchange.request().target];
    drop = ++dropper->count % 10 == 0;
  }
  if (drop) {
    exchange.Abort();
    co_return;
  }
  (void)co_await exchange.Respond(200, http::Headers(), "ok");
}

TEST(LoadTest, NoRequestWithABodyIsEverSeenTwice) {
  constexpr int kClients = 32;
  constexpr int kEach = kMemoryCounts ? 10'000 : 2'000;  // a sanitizer takes several times as long
  Dropper dropper;
  http::ServerOptions options;
  options.idle_timeout = Millis(2);  // so that connections also close just as they are taken
  http::TestServer backend([&dropper](Exchange& exchange) { return DropSome(exchange, &dropper); },
                           options);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  std::atomic<int> good = 0;
  std::atomic<int> bad = 0;
  InThreads(kClients, [&](unsigned thread) {
    std::minstd_rand random(thread + 1);
    RawClient client(activator.port());
    for (int i = 0; i < kEach; ++i) {
      const std::string target = "/" + std::to_string(thread) + "-" + std::to_string(i);
      client.Send("POST " + target +
                  " HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody");
      const std::string response = client.ReadResponse();
      ++(response.starts_with("HTTP/1.1 200 ") ? good : bad);
      if (!response.starts_with("HTTP/1.1 200 ")) {
        EXPECT_TRUE(response.starts_with("HTTP/1.1 502 ")) << response;
      }
      pollfd waiting{client.fd(), POLLIN, 0};
      poll(&waiting, 1, static_cast<int>(random() % 4));
    }
  });
  EXPECT_EQ(good + bad, kClients * kEach);
  EXPECT_GT(bad, kClients * kEach / 16);
  for (const auto& [target, times] : dropper.seen) EXPECT_EQ(times, 1) << target;
}

// ---- memory

constexpr size_t kPiece = 1 << 16;
constexpr size_t kStreamBytes = size_t{1} << 30;

// Of stated length unless the request is for "/chunks".
Task<void> SendMuch(Exchange& exchange) {
  http::Headers headers;
  if (exchange.request().target != "/chunks") headers.Add("Content-Length", std::to_string(kStreamBytes));
  (void)co_await exchange.StartResponse(200, std::move(headers));
  for (size_t sent = 0; sent < kStreamBytes; sent += kPiece) {
    std::string piece(kPiece, 'd');
    const Status written = co_await exchange.Write(std::move(piece));
    if (!written) co_return;
  }
  (void)co_await exchange.Finish();
}

Task<void> TakeMuch(Exchange& exchange) {
  size_t taken = 0;
  while (true) {
    const Result<std::string_view> piece = co_await exchange.ReadView();
    if (!piece || piece->empty()) break;
    taken += piece->size();
  }
  (void)co_await exchange.Respond(200, http::Headers(), std::to_string(taken));
}

// Of stated length they pass through the kernel, in chunks through the proxy.
TEST(LoadTest, AGigabyteEitherWayTakesNoMemory) {
  http::TestServer sender(SendMuch);
  http::TestServer taker(TakeMuch);
  for (const bool chunks : {false, true}) {
    ActivatorFixture activator(2, 0);
    activator.SetPorts({sender.port()});
    const size_t before = ResidentBytes();
    RawClient down(activator.port());
    down.Send(std::string("GET ") + (chunks ? "/chunks" : "/") + " HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n");
    std::vector<char> buffer(kPiece);
    size_t received = 0;
    while (true) {
      const ssize_t count = recv(down.fd(), buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      received += static_cast<size_t>(count);
    }
    EXPECT_GT(received, kStreamBytes);
    EXPECT_LT(received, kStreamBytes + (chunks ? kStreamBytes / 100 : 1000));  // the head, and chunks' lines

    activator.SetPorts({taker.port()});
    RawClient up(activator.port());
    up.Send(std::string("POST / HTTP/1.1\r\nHost: app.test\r\n") +
            (chunks ? "Transfer-Encoding: chunked" : "Content-Length: " + std::to_string(kStreamBytes)) + "\r\n\r\n");
    std::string piece(kPiece, 'u');
    if (chunks) piece = "10000\r\n" + piece + "\r\n";
    for (size_t sent = 0; sent < kStreamBytes; sent += kPiece) ASSERT_TRUE(up.Send(piece));
    if (chunks) up.Send("0\r\n\r\n");
    EXPECT_EQ(http::BodyOf(up.ReadResponse()), std::to_string(kStreamBytes));
    if (kMemoryCounts) {
      EXPECT_LT(ResidentBytes(), before + (size_t{16} << 20));
    }
  }
}

// The most that the process has held, of what it was asked now and then.
class MostResident {
 public:
  void Look() { most_ = std::max(most_, ResidentBytes()); }
  size_t growth() const { return most_ - before_; }

 private:
  const size_t before_ = ResidentBytes();
  size_t most_ = before_;
};

constexpr size_t kWindow = 1 << 20;

// Lets come what one window holds, reads it, and only then lets more come.
TEST(LoadTest, AGigabyteOverHttp2ToASlowReaderTakesNoMemory) {
  http::TestServer sender(SendMuch);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({sender.port()});
  const auto more = [](uint32_t stream, uint32_t bytes) {
    return http::Frame(NGHTTP2_WINDOW_UPDATE, 0, stream, http::Number(bytes, 4));
  };
  http::RawHttp2 reader(activator.port(),
                        http::Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow));
  reader.Send(more(0, kWindow - 65'535) + http::HeadersFrame(1, http::RequestFields()));
  MostResident memory;
  size_t received = 0;
  size_t in_window = 0;
  bool ended = false;
  while (!ended) {
    const std::string head = reader.client().ReadExactly(9);
    ASSERT_EQ(head.size(), 9u);
    const size_t size = http::NumberAt(head, 0) >> 8;
    ASSERT_EQ(reader.client().ReadExactly(size).size(), size);
    if (head[3] != NGHTTP2_DATA) continue;
    ended = (head[4] & http::kEndStream) != 0;
    received += size;
    in_window += size;
    if (in_window < kWindow) continue;
    ASSERT_EQ(std::exchange(in_window, 0), kWindow);
    memory.Look();
    reader.Send(more(0, kWindow) + more(1, kWindow));
  }
  EXPECT_EQ(received, kStreamBytes);
  if (kMemoryCounts) {
    EXPECT_LT(memory.growth(), size_t{16} << 20);
  }
}

// Takes nothing until it is told to.
Task<void> TakeMuchLater(Exchange& exchange, const std::atomic<bool>* told) {
  while (!*told) {
    const TimePoint next = exchange.loop().Now() + Millis(1);
    co_await http::SleepUntil(exchange.loop(), next);
  }
  co_await TakeMuch(exchange);
}

TEST(LoadTest, AGigabyteOverHttp2ToAnInstanceThatDoesNotReadWaitsAtTheClient) {
  std::atomic<bool> told = false;
  http::TestServer taker([&told](Exchange& exchange) { return TakeMuchLater(exchange, &told); });
  ActivatorFixture activator(2, 0);
  activator.SetPorts({taker.port()});
  http::RawHttp2 writer(activator.port());
  ASSERT_TRUE(writer.Ping());  // the settings have come
  MostResident memory;
  writer.Send(http::HeadersFrame(1, http::RequestFields("POST"), http::kEndHeaders));
  const std::string piece(16'384, 'u');
  size_t sent = 0;
  while (sent < kStreamBytes) {
    const size_t room = std::min<size_t>(writer.seen().Room(1, sent), kStreamBytes - sent);
    if (room > 0) {
      const size_t count = std::min(room, piece.size());
      const bool last = sent + count == kStreamBytes;
      writer.Send(http::DataFrame(1, std::string_view(piece).substr(0, count),
                                  last ? http::kEndStream : 0));
      sent += count;
      continue;
    }
    memory.Look();
    pollfd waiting{writer.client().fd(), POLLIN, 0};
    if (!told && poll(&waiting, 1, 200) == 0) {
      // What windows and sockets hold is full.
      EXPECT_LT(sent, size_t{32} << 20);
      told = true;
    }
    ASSERT_TRUE(writer.ReadFrame());
  }
  ASSERT_TRUE(writer.ReadStream(1));
  EXPECT_TRUE(told);
  EXPECT_EQ(writer.seen().bodies.at(1), std::to_string(kStreamBytes));
  if (kMemoryCounts) {
    EXPECT_LT(memory.growth(), size_t{16} << 20);
  }
}

// ---- routes

// Hosts r-0.test and so on, of which nine of ten requests go to one revision and one to the other.
RouteUpdate SplitRoute(size_t number, uint32_t percent) {
  RouteUpdate route;
  route.key = "default/r-" + std::to_string(number);
  route.hosts = {{.host = "r-" + std::to_string(number) + ".test",
                  .splits = {{"default/app-1", percent}, {"default/app-2", 100 - percent}}}};
  return route;
}

Task<void> Count(Exchange& exchange, std::atomic<size_t>* served) {
  ++*served;
  (void)co_await exchange.Respond(200, http::Headers(), "ok");
}

TEST(LoadTest, TenThousandRoutesThatChangeUnderLoadCostNoRequestAndNoTable) {
  constexpr size_t kRoutes = 10'000;
  constexpr size_t kHosts = 4;  // that are asked for
  constexpr int kBatches = 250;
  constexpr int kBatch = 100;
  constexpr size_t kRequests = kHosts * kBatches * kBatch;
  std::atomic<size_t> served[2] = {0, 0};
  http::TestServer most([&served](Exchange& exchange) { return Count(exchange, &served[0]); });
  http::TestServer few([&served](Exchange& exchange) { return Count(exchange, &served[1]); });
  ActivatorFixture activator(2, 0);
  activator.SetPorts({most.port()});
  RoutingUpdate routes;
  RevisionSettings& second = routes.revisions.emplace_back();
  second.key = "default/app-2";
  routes.endpoints = {{.revision = "default/app-2",
                       .known = true,
                       .endpoints = {{{"i-few", "127.0.0.1", few.port(), {}}}}}};
  for (size_t i = 0; i < kRoutes; ++i) routes.routes.push_back(SplitRoute(i, 90));
  std::vector<std::weak_ptr<const RouteTable>> tables = {activator.Publish(routes)};

  std::atomic<size_t> good = 0;
  std::atomic<int> running = kHosts;
  const TimePoint start = RealClock().Now();
  std::thread load([&] {
    InThreads(kHosts, [&](unsigned host) {
      RawClient client(activator.port());
      std::string batch;
      for (int i = 0; i < kBatch; ++i)
        batch += "GET / HTTP/1.1\r\nHost: r-" + std::to_string(host) + ".test\r\n\r\n";
      for (int i = 0; i < kBatches; ++i) {
        client.Send(batch);
        for (int k = 0; k < kBatch; ++k)
          good += client.ReadResponse().starts_with("HTTP/1.1 200 ") ? 1 : 0;
      }
      --running;
    });
  });
  for (size_t i = 0; running > 0; ++i) {
    RoutingUpdate update;
    update.routes = {SplitRoute(kHosts + i % (kRoutes - kHosts), i % 2 == 0 ? 50 : 90)};
    tables.push_back(activator.Publish(update));
  }
  load.join();
  const double seconds = std::chrono::duration<double>(RealClock().Now() - start).count();
  std::printf("%.0f requests and %.0f updates a second\n", kRequests / seconds,
              static_cast<double>(tables.size()) / seconds);
  EXPECT_EQ(good, kRequests);
  EXPECT_GT(static_cast<double>(tables.size()), 100 * seconds);
  EXPECT_EQ(served[0] + served[1], kRequests);
  // And so it says of each revision: what a worker counts behind a response comes a little later.
  const auto counted = [&activator](const char* name) {
    return activator.revision(name).revision->ReadResponses().classes[2].count();
  };
  while (counted("app-1") + counted("app-2") < kRequests) poll(nullptr, 0, 1);
  EXPECT_EQ(counted("app-1"), served[0]);
  EXPECT_EQ(counted("app-2"), served[1]);
  EXPECT_NEAR(static_cast<double>(served[1]) / kRequests, 0.1, 0.01);
  EXPECT_FALSE(tables.back().expired());
  tables.pop_back();
  EXPECT_EQ(std::ranges::count_if(tables, [](const auto& table) { return !table.expired(); }), 0);
}

// Of the latencies of requests that have each met an update in its worker, and of those that have not.
struct MetAndNot {
  double Ratio(double fraction) {
    const auto at = [fraction](std::vector<Nanos>& of) {
      const auto place = of.begin() + static_cast<std::ptrdiff_t>(fraction * static_cast<double>(of.size()));
      std::ranges::nth_element(of, place);
      return static_cast<double>(place->count());
    };
    return at(met) / at(not_met);
  }
  std::vector<Nanos> met;
  std::vector<Nanos> not_met;
};

double Middle(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// One after the other, in the same run: what else the machine does holds both up. A request that finds its worker busy with
// an update is later by all that the worker does for it; of those at a hundred updates a second few do.
TEST(LoadTest, ARequestBehindAnUpdateOfTenThousandRoutesIsHardlyLater) {
  constexpr size_t kRoutes = 10'000;
  constexpr int kRounds = 15;
  constexpr int kPairs = 200;  // fewer updates than routes: each changes something
  std::atomic<size_t> served = 0;
  http::TestServer backend([&served](Exchange& exchange) { return Count(exchange, &served); });
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  RoutingUpdate routes;
  for (size_t i = 0; i < kRoutes; ++i) routes.routes.push_back(SplitRoute(i, 100));
  activator.Publish(routes);
  RawClient client(activator.port());
  const auto ask = [&client] {
    const TimePoint start = RealClock().Now();
    client.Send("GET / HTTP/1.1\r\nHost: r-0.test\r\n\r\n");
    EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 200 "));
    return RealClock().Now() - start;
  };
  size_t updates = 0;
  const auto next = [&updates] {
    RoutingUpdate update;
    ++updates;
    update.routes = {SplitRoute(1 + updates % (kRoutes - 1), 50)};
    return update;
  };
  ask();
  std::vector<double> middles;
  std::vector<double> tails;
  for (int round = 0; round < kRounds; ++round) {
    MetAndNot latencies;
    for (int i = 0; i < kPairs; ++i) {
      latencies.not_met.push_back(ask());
      activator.PublishSoon(next());
      latencies.met.push_back(ask());
    }
    middles.push_back(latencies.Ratio(0.5));
    tails.push_back(latencies.Ratio(0.99));
  }
  std::printf("behind an update, median %.2f times as late, p99 %.2f times\n", Middle(middles), Middle(tails));
  EXPECT_LT(Middle(middles), 2);  // 1.1 as a rule, 1.7 with a sanitizer
  EXPECT_LT(Middle(tails), 2);
}

}  // namespace
}  // namespace updraft::activator
