// A clock that the test moves while loops on other threads read it.
#pragma once

#include <atomic>

#include "core/base/clock.h"

namespace updraft {

// Safe for concurrent use.
class SteppedClock final : public Clock {
 public:
  TimePoint Now() const override { return TimePoint(Nanos(now_)); }
  WallTime Wall() const override { return FromUnixNanos(now_ + kEpoch); }
  void Advance(Nanos by) { now_ += by.count(); }

 private:
  static constexpr int64_t kEpoch = 1'700'000'000'000'000'000;
  std::atomic<int64_t> now_ = Nanos(std::chrono::hours(1)).count();
};

}  // namespace updraft
