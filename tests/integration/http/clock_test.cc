// The machine's clocks as the process reads them, moved by the test: the wall clock that jumps, and a pause, which both
// clocks show. A program of its own, because it stands between the process and the kernel.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <vector>

#include "tests/integration/http/wire.h"
#include "tests/unit/core/http/raw_http2.h"
#include "tests/unit/core/http/test_server.h"

namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

std::atomic<int64_t> wall_moved = 0;  // nanoseconds
std::atomic<int64_t> monotonic_moved = 0;

int64_t MovedBy(clockid_t clock) {
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) return wall_moved;
  if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME) return monotonic_moved;
  return 0;
}

}  // namespace

// What the standard library's clocks call.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int64_t moved = MovedBy(clock);
  const auto result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  const int64_t nanos = time->tv_nsec + moved % kNanosPerSecond + kNanosPerSecond;
  time->tv_sec += moved / kNanosPerSecond + nanos / kNanosPerSecond - 1;
  time->tv_nsec = nanos % kNanosPerSecond;
  return result;
}

namespace updraft::activator {
namespace {

constexpr Nanos kDay = std::chrono::hours(24);

class ClockTest : public testing::Test {
 protected:
  ~ClockTest() override {
    wall_moved = 0;
    monotonic_moved = 0;
  }
  static RevisionSettings Limits(Nanos all) {
    RevisionSettings settings;
    settings.timeout = all;
    settings.response_start_timeout = all;
    settings.idle_timeout = all;
    settings.silent_stream_timeout = all;
    return settings;
  }
  // Every loop has looked at the clock since.
  static void Settle(ActivatorFixture& activator) {
    for (Worker* worker : activator.pool().workers())
      for (int i = 0; i < 3; ++i) http::RunOn(worker->loop(), [] {});
  }
};

// Requests that wait, run and stream, and a connection that is idle.
class Guests {
 public:
  explicit Guests(const RevisionSettings& settings)
      : activator_(Workers(2), settings), running_(activator_.port()), streaming_(activator_.port()),
        idle_(activator_.port()) {
    activator_.SetPorts({backend_.port()});
    AskNobody();
    running_.Send(kGet);
    Answer(backend_.Accept(), {});
    streaming_.Send(kGet);
    Answer(backend_.Accept(), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegun");
    EXPECT_TRUE(streaming_.ReadUntil("begun").ends_with("begun"));
  }

  ActivatorFixture& activator() { return activator_; }
  uint64_t Timeouts() const { return activator_.Sum(&ProxyCounters::timeouts); }
  void ExpectAllGoOn() {
    instances_[0].Send(kOk);
    EXPECT_EQ(BodyOf(running_.ReadResponse()), "ok");
    instances_[1].Send("ended");
    EXPECT_EQ(streaming_.ReadExactly(5), "ended");
    AskNobody();
    EXPECT_EQ(Timeouts(), 0u);
  }

 private:
  // A request that no instance is needed for.
  void AskNobody() {
    idle_.Send("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
    EXPECT_TRUE(idle_.ReadResponse().starts_with("HTTP/1.1 404 "));
  }
  void Answer(RawClient instance, std::string_view answer) {
    instance.ReadUntil("\r\n\r\n");
    instance.Send(answer);
    instances_.push_back(std::move(instance));
  }

  RawBackend backend_;
  ActivatorFixture activator_;
  RawClient running_;
  RawClient streaming_;
  RawClient idle_;
  std::vector<RawClient> instances_;  // of running, streaming
};

TEST_F(ClockTest, TheWallClockMayJumpAsItLikes) {
  Guests guests(Limits(Seconds(60)));
  const WallTime before = RealClock().Wall();
  for (const Nanos jump : {kDay, -2 * kDay, 400 * kDay}) {
    wall_moved += jump.count();
    Settle(guests.activator());
    EXPECT_EQ(guests.Timeouts(), 0u);
  }
  EXPECT_GT(RealClock().Wall() - before, 398 * kDay);  // it is this clock that they read
  guests.ExpectAllGoOn();
}

TEST_F(ClockTest, LimitsAreKeptThoughTheWallClockGoesBack) {
  ActivatorFixture activator(Workers(2), Limits(Millis(150)));
  RawClient held(activator.port());
  const TimePoint start = RealClock().Now();
  held.Send(kGet);
  activator.events().WaitForDemand();
  wall_moved -= kDay.count();
  const std::string answer = held.ReadResponse();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 504 ")) << answer;
  EXPECT_GE(RealClock().Now() - start, Millis(150));
}

TEST_F(ClockTest, APauseOfTheMachineEndsNothingThatHasLonger) {
  Guests guests(Limits(Seconds(60)));
  std::vector<std::unique_ptr<RawClient>> held;
  RevisionSettings cold = Limits(Seconds(300));
  ActivatorFixture without(Workers(2), cold);
  for (int i = 0; i < 300; ++i) {
    held.push_back(std::make_unique<RawClient>(without.port()));
    held.back()->Send(kGet);
  }
  while (without.revision().revision->queued < held.size()) poll(nullptr, 0, 1);
  const TimePoint before = RealClock().Now();
  wall_moved += Seconds(10) / Nanos(1);
  monotonic_moved += Seconds(10) / Nanos(1);
  EXPECT_GE(RealClock().Now() - before, Seconds(10));
  Settle(guests.activator());
  Settle(without);
  EXPECT_EQ(without.revision().revision->queued, held.size());
  guests.ExpectAllGoOn();
  http::TestServer instance([](http::Exchange& exchange) -> http::Task<void> {
    (void)co_await exchange.Respond(200, http::Headers(), "ok");
  });
  without.SetPorts({instance.port()});
  for (const auto& client : held) EXPECT_EQ(BodyOf(client->ReadResponse()), "ok");
  EXPECT_EQ(without.Sum(&ProxyCounters::timeouts), 0u);
}

}  // namespace
}  // namespace updraft::activator
