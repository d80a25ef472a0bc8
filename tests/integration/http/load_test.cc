// Many clients at once, several workers: nothing lost, nothing doubled, no limit exceeded.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "core/http/sync.h"
#include "tests/integration/http/activator_fixture.h"
#include "tests/integration/http/memory.h"
#include "tests/unit/core/http/raw_client.h"
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
  for (int i = 0; i < 4000; ++i) {
    clients.push_back(std::make_unique<RawClient>(activator.port()));
    clients.back()->Send(kGet);
  }
  activator.SetPorts({backend.port()});
  for (const auto& client : clients)
    ASSERT_TRUE(client->ReadResponse().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(crowd.served, 4000);
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
  Dropper dropper;
  http::ServerOptions options;
  options.idle_timeout = Millis(2);  // so that connections also close just as they are taken
  http::TestServer backend([&dropper](Exchange& exchange) { return DropSome(exchange, &dropper); },
                           options);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  std::atomic<int> good = 0;
  std::atomic<int> bad = 0;
  InThreads(8, [&](unsigned thread) {
    std::minstd_rand random(thread + 1);
    RawClient client(activator.port());
    for (int i = 0; i < 250; ++i) {
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
  EXPECT_EQ(good + bad, 8 * 250);
  EXPECT_GT(bad, 100);
  for (const auto& [target, times] : dropper.seen) EXPECT_EQ(times, 1) << target;
}

// ---- memory

constexpr size_t kPiece = 1 << 16;
constexpr size_t kStreamBytes = size_t{1} << 30;

Task<void> SendMuch(Exchange& exchange) {
  http::Headers headers;
  headers.Add("Content-Length", std::to_string(kStreamBytes));
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

TEST(LoadTest, AGigabyteEitherWayTakesNoMemory) {
  http::TestServer sender(SendMuch);
  http::TestServer taker(TakeMuch);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({sender.port()});
  const size_t before = ResidentBytes();
  RawClient down(activator.port());
  down.Send("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n");
  std::vector<char> buffer(kPiece);
  size_t received = 0;
  while (true) {
    const ssize_t count = recv(down.fd(), buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    received += static_cast<size_t>(count);
  }
  EXPECT_GT(received, kStreamBytes);
  EXPECT_LT(received, kStreamBytes + 1000);  // and the head

  activator.SetPorts({taker.port()});
  RawClient up(activator.port());
  up.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: " + std::to_string(kStreamBytes) +
          "\r\n\r\n");
  const std::string piece(kPiece, 'u');
  for (size_t sent = 0; sent < kStreamBytes; sent += kPiece) ASSERT_TRUE(up.Send(piece));
  EXPECT_EQ(http::BodyOf(up.ReadResponse()), std::to_string(kStreamBytes));
  if (kMemoryCounts) {
    EXPECT_LT(ResidentBytes(), before + (size_t{16} << 20));
  }
}

}  // namespace
}  // namespace updraft::activator
