// The time limits of requests, wherever they are: to the tick on a clock that the test moves, and on the machine's beside
// a timer of the same loop. What a pause of the machine ends, and what it does not.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/activator/proxy/proxy_fixture.h"
#include "tests/unit/core/base/stepped_clock.h"

namespace updraft::activator {
namespace {

using http::RawClient;

constexpr const char* kPlainGet = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";
constexpr const char* kAskForTunnel =
    "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
constexpr const char* kGiveTunnel =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
constexpr Nanos kLimit = Seconds(5);
constexpr Nanos kTick = Millis(1);

enum class Where { kQueued, kRunning, kStreaming, kTunnel };

struct LimitCase {
  const char* name;
  Where where;
  Nanos RevisionSettings::*limit;
  bool from_activity;  // from what was last sent, not from the request's start
  const char* says;    // what the client is told; empty: it is cut
};

const LimitCase kLimitCases[] = {
    {"total, queued", Where::kQueued, &RevisionSettings::timeout, false, "timeoutSeconds"},
    {"total, running", Where::kRunning, &RevisionSettings::timeout, false, "timeoutSeconds"},
    {"total, streaming", Where::kStreaming, &RevisionSettings::timeout, false, "timeoutSeconds"},
    {"total, tunnel", Where::kTunnel, &RevisionSettings::timeout, false, ""},
    {"start, queued", Where::kQueued, &RevisionSettings::response_start_timeout, false, "responseStartTimeoutSeconds"},
    {"start, running", Where::kRunning, &RevisionSettings::response_start_timeout, false, "responseStartTimeoutSeconds"},
    {"idle, queued", Where::kQueued, &RevisionSettings::idle_timeout, false, "idleTimeoutSeconds"},
    {"idle, running", Where::kRunning, &RevisionSettings::idle_timeout, false, "idleTimeoutSeconds"},
    {"idle, streaming", Where::kStreaming, &RevisionSettings::idle_timeout, true, "idleTimeoutSeconds"},
    {"idle, tunnel", Where::kTunnel, &RevisionSettings::idle_timeout, true, ""},
    {"silent, streaming", Where::kStreaming, &RevisionSettings::silent_stream_timeout, true, "silent-stream-timeout"},
    {"silent, tunnel", Where::kTunnel, &RevisionSettings::silent_stream_timeout, true, ""},
};

// A request through a proxy, and how far it has come.
class LimitedRequest {
 public:
  LimitedRequest(const LimitCase& c, Nanos limit, const Clock& clock = RealClock())
      : where_(c.where), proxy_(Setup(c, limit, clock)), client_(proxy_.port()) {
    Settle();
  }

  ProxyFixture& proxy() { return proxy_; }
  RawClient& client() { return client_; }

  // What is on its way in the loop has come to its end.
  void Settle() {
    for (int i = 0; i < 3; ++i) http::RunOn(proxy_.loop(), [] {});
  }
  void Send() {
    if (where_ != Where::kQueued) proxy_.SetPorts({backend_.port()});
    client_.Send(where_ == Where::kTunnel ? kAskForTunnel : kPlainGet);
    if (where_ == Where::kQueued) return proxy_.events().WaitForDemand();
    instance_ = std::make_unique<RawClient>(backend_.Accept());
    instance_->ReadUntil("\r\n\r\n");
  }
  // The response begins, where it is to.
  void Begin() {
    if (where_ == Where::kQueued || where_ == Where::kRunning) return;
    instance_->Send(where_ == Where::kTunnel ? kGiveTunnel : "HTTP/1.1 200 OK\r\n\r\n");
    instance_->Send("begun");
    EXPECT_TRUE(client_.ReadUntil("begun").ends_with("begun"));
  }
  void Pass() {
    instance_->Send("more");
    EXPECT_TRUE(client_.ReadUntil("more").ends_with("more"));
  }
  uint64_t Timeouts() {
    uint64_t timeouts = 0;
    http::RunOn(proxy_.loop(), [this, &timeouts] { timeouts = proxy_.proxy().counters().timeouts.value(); });
    return timeouts;
  }
  void ExpectTold(const LimitCase& c) {
    const std::string told = *c.says == '\0' ? client_.ReadAll() : client_.ReadUntil(")");
    EXPECT_NE(told.find(c.says), std::string::npos) << told;
    EXPECT_EQ(told.starts_with("HTTP/1.1 504 "), where_ == Where::kQueued || where_ == Where::kRunning) << told;
    EXPECT_EQ(client_.closed(), *c.says == '\0');
  }

 private:
  static ProxySetup Setup(const LimitCase& c, Nanos limit, const Clock& clock) {
    ProxySetup setup;
    setup.clock = &clock;
    setup.revision.*c.limit = limit;
    return setup;
  }

  const Where where_;
  RawBackend backend_;
  ProxyFixture proxy_;
  RawClient client_;
  std::unique_ptr<RawClient> instance_;
};

// Not a tick before its time, and at it.
TEST(TimeLimitTest, EachFiresAtItsTimeWhereverTheRequestIs) {
  for (const LimitCase& c : kLimitCases) {
    SCOPED_TRACE(c.name);
    SteppedClock clock;
    LimitedRequest request(c, kLimit, clock);
    request.Send();
    clock.Advance(Seconds(2));
    request.Settle();
    request.Begin();
    clock.Advance(kLimit - (c.from_activity ? Nanos(0) : Seconds(2)) - kTick);
    request.Settle();
    EXPECT_EQ(request.Timeouts(), 0u);
    clock.Advance(kTick);
    request.Settle();
    EXPECT_EQ(request.Timeouts(), 1u);
    request.ExpectTold(c);
  }
}

// The limits that activity puts off, and those that it does not.
TEST(TimeLimitTest, WhatPassesPutsOffTheLimitsOfSilenceAlone) {
  for (const LimitCase& c : kLimitCases) {
    if (c.where != Where::kStreaming && c.where != Where::kTunnel) continue;
    SCOPED_TRACE(c.name);
    SteppedClock clock;
    LimitedRequest request(c, kLimit, clock);
    request.Send();
    request.Begin();
    for (int i = 0; i < 6 && request.Timeouts() == 0; ++i) {
      request.Pass();
      clock.Advance(kLimit / 4);
      request.Settle();
    }
    EXPECT_EQ(request.Timeouts(), c.from_activity ? 0u : 1u);
  }
}

// On the machine's clock: never before its time as the client sees it; and by when a timer fires on the same loop that was
// set for 50 ms later, it has. Both are late on a busy machine, together.
TEST(TimeLimitTest, EachFiresAtItsTimeOnTheMachinesClock) {
  constexpr Nanos limit = Millis(120);
  for (const LimitCase& c : kLimitCases) {
    SCOPED_TRACE(c.name);
    LimitedRequest request(c, limit);
    Loop& loop = request.proxy().loop();
    TimePoint start = RealClock().Now();
    request.Send();
    if (c.from_activity) start = RealClock().Now();
    request.Begin();
    std::promise<bool> in_time;
    http::RunOn(loop, [&] {
      loop.After(limit + Millis(50), [&] {
        loop.AtEndOfTurn([&] { in_time.set_value(request.proxy().proxy().counters().timeouts.value() == 1); });
      });
    });
    request.ExpectTold(c);
    EXPECT_GE(RealClock().Now() - start, limit);
    EXPECT_TRUE(in_time.get_future().get());
  }
}

// ---- the machine stood still

TEST(PauseTest, EndsNoHeldRequestBeforeItsTime) {
  SteppedClock clock;
  ProxySetup setup;
  setup.clock = &clock;
  setup.revision.timeout = Seconds(300);
  ProxyFixture proxy(setup);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 600; ++i) {
    clients.push_back(std::make_unique<RawClient>(proxy.port()));
    clients.back()->Send(kPlainGet);
  }
  const auto waiting = [&proxy] {
    uint32_t count = 0;
    http::RunOn(proxy.loop(), [&] { count = proxy.revision().queued.load(); });
    return count;
  };
  while (waiting() < clients.size()) poll(nullptr, 0, 1);
  for (int i = 0; i < 3; ++i) {
    clock.Advance(Seconds(10));
    EXPECT_EQ(waiting(), clients.size());
    EXPECT_EQ(waiting(), clients.size());
  }
  http::TestServer instance([](http::Exchange& exchange) -> http::Task<void> {
    (void)co_await exchange.Respond(200, http::Headers(), "ok");
  });
  proxy.SetPorts({instance.port()});
  for (const auto& client : clients) EXPECT_EQ(http::BodyOf(client->ReadResponse()), "ok");
  EXPECT_EQ(proxy.proxy().counters().timeouts.value(), 0u);
}

// Responses came while it stood still, more than one turn of the loop takes, and all their limits are over: they were in
// time.
TEST(PauseTest, WhatCameMeanwhileWasInTime) {
  constexpr int kRunning = 400;
  SteppedClock clock;
  ProxySetup setup;
  setup.clock = &clock;
  setup.revision.response_start_timeout = Seconds(5);
  ProxyFixture proxy(setup);
  RawBackend backend;
  proxy.SetPorts({backend.port()});
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<RawClient> instances;
  for (int i = 0; i < kRunning; ++i) {
    clients.push_back(std::make_unique<RawClient>(proxy.port()));
    clients.back()->Send(kPlainGet);
    instances.push_back(backend.Accept());
    instances.back().ReadUntil("\r\n\r\n");
  }
  std::promise<void> stands;
  std::promise<void> go_on;
  proxy.loop().Post([&stands, &go_on] {
    stands.set_value();
    go_on.get_future().wait();
  });
  stands.get_future().wait();
  for (RawClient& instance : instances) instance.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  clock.Advance(Seconds(10));
  go_on.set_value();
  for (const auto& client : clients) EXPECT_EQ(http::BodyOf(client->ReadResponse()), "ok");
  EXPECT_EQ(proxy.proxy().counters().timeouts.value(), 0u);
}

}  // namespace
}  // namespace updraft::activator
