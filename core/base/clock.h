// Time as Updraft's code sees it: handed in, so that tests and the simulation own it.
#pragma once

#include <chrono>
#include <cstdint>

namespace updraft {

using Nanos = std::chrono::nanoseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// A point on the monotonic clock: for deadlines and durations. Value-initialised: the epoch.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Nanos>;

// A point on the wall clock, unix time: for what users read and what crosses machines.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Nanos>;

inline int64_t UnixNanos(WallTime t) { return t.time_since_epoch().count(); }
inline WallTime FromUnixNanos(int64_t ns) { return WallTime(Nanos(ns)); }

// Safe for concurrent use.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual WallTime Wall() const = 0;
};

// The machine's clocks. Never destroyed.
const Clock& RealClock();

// A clock that stands still until it is told to move. For tests; one thread.
class FakeClock : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  WallTime Wall() const override { return wall_; }
  void Advance(Nanos by) {
    now_ += by;
    wall_ += by;
  }

 private:
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  WallTime wall_ = WallTime(std::chrono::seconds(1'700'000'000));
};

}  // namespace updraft
