// What is told of requests: the load they are, their arrivals, the cold starts they waited for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/activator/workers.h"

namespace updraft::activator {
namespace {

using testing::ElementsAre;

TEST(DispatcherTest, TheLoadIsTheExactIntegralOfHeldAndRunningRequests) {
  TestWorkers workers(2);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  Slots b(workers, 1);
  FakeClock clock;
  workers.now = clock.Now();
  a.Ask();
  clock.Advance(Millis(500));
  workers.now = clock.Now();
  b.Ask();  // waits
  clock.Advance(Millis(250));
  workers.now = clock.Now();
  LoadReading load = workers.revision().ReadLoad(clock);
  EXPECT_EQ(load.request_time, (RequestTime{1, 0}));  // 0.75 of the first, 0.25 of the second
  EXPECT_EQ(load.arrivals, 2u);
  EXPECT_EQ(load.running, 1u);
  EXPECT_EQ(load.waiting, 1u);

  a.Release(0);
  workers.Settle();
  clock.Advance(Millis(100));
  load = workers.revision().ReadLoad(clock);
  EXPECT_EQ(load.request_time, (RequestTime{1, 100'000'000}));
  EXPECT_EQ(load.running, 1u);
  EXPECT_EQ(load.waiting, 0u);
}

// Between 2 and 10 requests by turns, on two workers, with a limit that makes some of them wait and
// each of them sent twice: every window shows the mean of its time, whoever reads when.
TEST(DispatcherTest, TheLoadOfASquareWaveIsExactInEveryWindow) {
  TestWorkers workers(2);
  workers.Declare(3);
  workers.Endpoints({"1", "2"});
  FakeClock clock;
  workers.now = clock.Now();
  const auto seconds = [&] { return workers.revision().ReadLoad(clock).request_time.ToSeconds(); };
  const auto advance = [&](Nanos by) {
    clock.Advance(by);
    workers.now = clock.Now();
  };
  Slots base(workers, 0);
  base.Ask();
  base.Ask();
  double last = 0;
  for (int period = 0; period < 20; ++period) {
    {
      Slots more_a(workers, 0);
      Slots more_b(workers, 1);
      for (int i = 0; i < 4; ++i) {
        more_a.Ask();
        more_b.Ask();
      }
      workers.Settle();
      const LoadReading load = workers.revision().ReadLoad(clock);
      EXPECT_EQ(load.running, 6u);
      EXPECT_EQ(load.waiting, 4u);
      for (int i = 0; i < 7; ++i) {
        advance(Millis(50));
        seconds();  // reading changes nothing
      }
      // Sent again: the same requests, held or running all the time.
      Request& again = more_b[0];
      workers[1].Release(again.held, workers.now);
      const Admission admission =
          workers[1].Acquire(workers.revision(), again, workers.now, Dispatcher::Attempt::kRetry);
      if (admission == Admission::kGranted) again.held = again.slot();
      workers.Settle();
      advance(Millis(150));
    }
    workers.Settle();
    advance(Millis(500));
    const double now = seconds();
    EXPECT_NEAR(now - last, 10 * 0.5 + 2 * 0.5, 1e-9) << period;
    last = now;
  }
  EXPECT_EQ(workers.revision().ReadLoad(clock).arrivals, 2u + 20 * 8);
}

// A minute of ten, on two workers, of which one after the other is followed by the next, some of them held for a moment.
TEST(DispatcherTest, TheLoadOfTenRequestsIsTenInEveryWindow) {
  TestWorkers workers(2);
  workers.Declare(5);
  workers.Endpoints({"1", "2"});
  FakeClock clock;
  workers.now = clock.Now();
  const auto seconds = [&] { return workers.revision().ReadLoad(clock).request_time.ToSeconds(); };
  Slots a(workers, 0);
  Slots b(workers, 1);
  for (int i = 0; i < 5; ++i) {
    a.Ask();
    b.Ask();
  }
  double last = seconds();
  for (size_t window = 0; window < 60; ++window) {
    clock.Advance(Millis(300 + static_cast<int64_t>(window)));
    workers.now = clock.Now();
    a.Release(window);
    a.Ask();
    workers.Settle();
    clock.Advance(Millis(700 - static_cast<int64_t>(window)));
    workers.now = clock.Now();
    const double now = seconds();
    EXPECT_NEAR(now - last, 10, 1e-9) << window;
    last = now;
  }
}

TEST(DispatcherTest, ARetryIsNoFurtherArrival) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  a.Release(0);
  workers[0].Acquire(workers.revision(), a[0], workers.now, Dispatcher::Attempt::kRetry);
  a[0].held = a[0].slot();
  EXPECT_EQ(workers.revision().ReadLoad(FakeClock()).arrivals, 1u);
}

TEST(DispatcherTest, TheRequestThatWaitedForAColdStartCompletesIt) {
  TestWorkers workers(1);
  workers.Declare(1);
  Slots a(workers, 0);
  a.Ask();
  a.Ask();
  workers.wall_ns = 900;
  workers.Endpoints({"1"}, {}, {.queued_ns = 100, .decided_ns = 200});
  workers.Settle();
  ASSERT_TRUE(a[0].held);
  EXPECT_TRUE(a[0].held.cold);
  const ColdStartTimes want{.queued_ns = 100, .decided_ns = 200, .routed_ns = 900, .first_byte_ns = 1000};
  EXPECT_EQ(workers[0].OnFirstByte(a[0].held, FromUnixNanos(1000)), want);
  EXPECT_THAT(workers.cold_starts, ElementsAre(want));

  a.Release(0);
  workers.Settle();
  EXPECT_TRUE(a[1].held.cold);
  EXPECT_EQ(workers[0].OnFirstByte(a[1].held, FromUnixNanos(1100)).first_byte_ns, 1100);
  EXPECT_EQ(workers.cold_starts.size(), 1u) << "an instance starts once";
  EXPECT_EQ(a.Ask(), Admission::kWaiting);
  a.Release(1);
  workers.Settle();
  EXPECT_FALSE(a[2].held.cold) << "it waited for a slot, not for a start";
  EXPECT_EQ(workers[0].OnFirstByte(a[2].held, FromUnixNanos(1200)), ColdStartTimes{});
}

}  // namespace
}  // namespace updraft::activator
