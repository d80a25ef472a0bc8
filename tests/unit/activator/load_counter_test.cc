#include "activator/stats/load_counter.h"

#include <gtest/gtest.h>

namespace updraft::activator {
namespace {

TimePoint At(int64_t millis) { return TimePoint(Seconds(50) + Millis(millis)); }

TEST(RequestTimeTest, AddsWithoutLossAtAnySize) {
  RequestTime time{.seconds = 3, .nanos = 999'999'999};
  time.Add(1, Nanos(1));
  EXPECT_EQ(time, (RequestTime{4, 0}));
  time = {};
  time.Add(1'000'000, std::chrono::hours(24 * 365));  // more nanoseconds than 64 bits hold
  EXPECT_EQ(time, (RequestTime{31'536'000'000'000, 0}));
}

TEST(LoadCounterTest, IntegratesWhatIsHeldAndWhatRuns) {
  LoadCounter counter;
  counter.Arrived();
  counter.StartWaiting(At(0));
  counter.Arrived();
  counter.StartRunning(At(100));
  counter.WaitingToRunning(At(300));
  counter.StopRunning(At(400));
  const LoadReading read = counter.Read().ExtendedTo(At(1000));
  EXPECT_EQ(read.request_time, (RequestTime{1, 300'000'000}));  // 100 + 2*200 + 2*100 + 600 ms
  EXPECT_EQ(read.arrivals, 2u);
  EXPECT_EQ(read.waiting, 0u);
  EXPECT_EQ(read.running, 1u);
  EXPECT_EQ(read.at, At(1000));
}

TEST(LoadCounterTest, AReadingIsNotExtendedIntoThePast) {
  LoadCounter counter;
  counter.StartRunning(At(10));
  const LoadReading read = counter.Read();
  EXPECT_EQ(read.ExtendedTo(At(5)), read);
}

TEST(LoadCounterTest, IdleTimeCountsNothing) {
  LoadCounter counter;
  counter.StartRunning(At(0));
  counter.StopRunning(At(5));
  counter.StartRunning(At(100'000));
  EXPECT_EQ(counter.Read().ExtendedTo(At(100'001)).request_time, (RequestTime{0, 6'000'000}));
}

}  // namespace
}  // namespace updraft::activator
