#include "core/base/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace updraft {
namespace {

constexpr TimePoint kStart{std::chrono::hours(5)};

class Recorder final : public Timer {
 public:
  Recorder(TimerWheel& wheel, std::vector<int>* log, int name)
      : Timer(wheel), log_(log), name_(name) {}
  void OnTimer() override { log_->push_back(name_); }

 private:
  std::vector<int>* log_;
  int name_;
};

TEST(TimerWheelTest, FiresInOrderOfTimeAndNeverEarly) {
  TimerWheel wheel(kStart);
  std::vector<int> log;
  Recorder late(wheel, &log, 3);
  Recorder soon(wheel, &log, 1);
  Recorder middle(wheel, &log, 2);
  late.Set(kStart + std::chrono::hours(30));
  soon.Set(kStart + Nanos(1));
  middle.Set(kStart + Seconds(70));
  wheel.Advance(kStart);
  EXPECT_EQ(log, std::vector<int>{});
  wheel.Advance(kStart + Millis(1));
  EXPECT_EQ(log, std::vector<int>{1});
  wheel.Advance(kStart + Millis(69'999));
  EXPECT_EQ(log, std::vector<int>{1});
  wheel.Advance(kStart + std::chrono::hours(40));
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(wheel.Next(), std::nullopt);
}

TEST(TimerWheelTest, TheLaterSettingCountsAndCancelledOnesStaySilent) {
  TimerWheel wheel(kStart);
  std::vector<int> log;
  Recorder moved(wheel, &log, 1);
  Recorder cancelled(wheel, &log, 2);
  moved.Set(kStart + Millis(10));
  moved.Set(kStart + Millis(500));
  cancelled.Set(kStart + Millis(20));
  cancelled.Cancel();
  wheel.Advance(kStart + Millis(499));
  EXPECT_TRUE(log.empty());
  EXPECT_TRUE(moved.armed());
  wheel.Advance(kStart + Millis(500));
  EXPECT_EQ(log, std::vector<int>{1});
  EXPECT_FALSE(moved.armed());
}

TEST(TimerWheelTest, NowAndNeverAreTimes) {
  TimerWheel wheel(kStart);
  std::vector<int> log;
  Recorder now(wheel, &log, 1);
  Recorder never(wheel, &log, 2);
  now.Set(TimePoint::min());
  never.Set(TimePoint::max());
  EXPECT_LE(*wheel.Next(), kStart);
  wheel.Advance(kStart);
  EXPECT_EQ(log, std::vector<int>{1});
  wheel.Advance(kStart + std::chrono::hours(24 * 365 * 10));
  EXPECT_EQ(log, std::vector<int>{1});
}

// A timer that sets itself again for the past fires once for each Advance().
class Eager final : public Timer {
 public:
  explicit Eager(TimerWheel& wheel) : Timer(wheel) {}
  void OnTimer() override {
    ++fired;
    Set(kStart);
  }
  int fired = 0;
};

TEST(TimerWheelTest, WhatIsSetWhileFiringWaits) {
  TimerWheel wheel(kStart);
  Eager eager(wheel);
  eager.Set(kStart);
  wheel.Advance(kStart + Millis(1));
  EXPECT_EQ(eager.fired, 1);
  wheel.Advance(kStart + Millis(1));
  EXPECT_EQ(eager.fired, 2);
}

class Killer final : public Timer {
 public:
  explicit Killer(TimerWheel& wheel) : Timer(wheel) {}
  void OnTimer() override { victim.reset(); }
  std::unique_ptr<Recorder> victim;
};

TEST(TimerWheelTest, ATimerMayDestroyAnotherThatIsDueAsWell) {
  TimerWheel wheel(kStart);
  std::vector<int> log;
  Killer killer(wheel);
  killer.victim = std::make_unique<Recorder>(wheel, &log, 1);
  killer.Set(kStart + Millis(5));
  killer.victim->Set(kStart + Millis(5));
  wheel.Advance(kStart + Millis(5));
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(wheel.Next(), std::nullopt);
}

class Counter final : public Timer {
 public:
  Counter(TimerWheel& wheel, size_t* fired) : Timer(wheel), fired_(fired) {}
  void OnTimer() override { ++*fired_; }

 private:
  size_t* fired_;
};

// A million requests of up to five minutes, each put off once: ten minutes of a loop that never rests.
TEST(TimerWheelTest, AMillionCostNextToNothing) {
  constexpr size_t kTimers = 1'000'000;
  constexpr int kTicks = 600'000;
  TimerWheel wheel(kStart);
  size_t fired = 0;
  std::deque<Counter> timers;
  std::mt19937 random(1);
  for (size_t i = 0; i < kTimers; ++i) {
    timers.emplace_back(wheel, &fired).Set(kStart + Millis(1 + random() % 300'000));
  }
  for (Counter& timer : timers) timer.Set(kStart + Millis(300'000 + random() % 300'000));
  EXPECT_EQ(wheel.touched(), 0u);
  const std::clock_t start = std::clock();
  uint64_t most = 0;
  for (int tick = 1; tick <= kTicks; ++tick) {
    const uint64_t before = wheel.touched();
    wheel.Advance(kStart + Millis(tick));
    most = std::max(most, wheel.touched() - before);
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_EQ(fired, kTimers);
  // Each is touched once a wheel that it comes through, before it was put off and after it, and not once a tick.
  EXPECT_LT(wheel.touched(), 8 * kTimers);
  std::printf("%zu timers: %.1f touched a tick, at most %zu; %.3f %% of a core\n", kTimers,
              static_cast<double>(wheel.touched()) / kTicks, static_cast<size_t>(most), seconds / (kTicks / 1000) * 100);
}

// Against a sorted list: random settings, cancellations and steps.
TEST(TimerWheelTest, AgreesWithASortedList) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    TimerWheel wheel(kStart);
    std::vector<int> log;
    std::vector<std::unique_ptr<Recorder>> timers;
    std::vector<TimePoint> due(200, TimePoint::max());
    for (int i = 0; i < 200; ++i) timers.push_back(std::make_unique<Recorder>(wheel, &log, i));
    TimePoint now = kStart;
    for (int step = 0; step < 500; ++step) {
      const auto which = random() % 200;
      if (random() % 4 == 0) {
        timers[which]->Cancel();
        due[which] = TimePoint::max();
      } else {
        due[which] = now + Nanos(int64_t{1} << (random() % 44)) + Nanos(random() % 1000);
        timers[which]->Set(due[which]);
      }
      now += Nanos(int64_t{1} << (random() % 38));
      if (wheel.Next() && *wheel.Next() > now) {
        EXPECT_TRUE(
            std::ranges::none_of(due, [now](TimePoint when) { return when <= now - Millis(1); }));
      }
      log.clear();
      wheel.Advance(now);
      TimePoint last = TimePoint::min();
      for (const int fired : log) {
        const auto at = static_cast<size_t>(fired);
        ASSERT_LE(due[at], now) << "early, seed " << seed;
        ASSERT_GE(due[at] + Millis(1), last) << "out of order, seed " << seed;
        last = due[at];
        due[at] = TimePoint::max();
      }
      for (const TimePoint when : due) ASSERT_GT(when, now - Millis(1)) << "late, seed " << seed;
    }
  }
}

}  // namespace
}  // namespace updraft
