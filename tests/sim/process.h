// A machine's clocks, and the life of one program on it.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/base/clock.h"
#include "tests/sim/scheduler.h"

namespace updraft::sim {

// Every machine has been up for a different time, and its wall clock may be wrong and jump.
class MachineClock final : public Clock {
 public:
  MachineClock(const Scheduler& time, Nanos up_before, Nanos wall_error)
      : time_(time), up_before_(up_before), wall_error_(wall_error) {}

  TimePoint Now() const override { return time_.now() + up_before_; }
  WallTime Wall() const override {
    return WallTime(std::chrono::seconds(1'790'000'000)) + time_.now().time_since_epoch() + wall_error_;
  }
  // In the simulation's time.
  TimePoint ToWorld(TimePoint local) const { return local - up_before_; }
  void JumpWall(Nanos by) { wall_error_ += by; }

 private:
  const Scheduler& time_;
  const Nanos up_before_;
  Nanos wall_error_;
};

// What a program has put off dies with it.
class Process {
 public:
  Process(Scheduler& time, const MachineClock& clock) : time_(time), clock_(clock) {}

  const MachineClock& clock() const { return clock_; }
  TimePoint Now() const { return clock_.Now(); }

  void After(Nanos delay, std::function<void()> run) { AtWorld(time_.now() + delay, std::move(run)); }
  void At(TimePoint local, std::function<void()> run) { AtWorld(clock_.ToWorld(local), std::move(run)); }
  // In the order of the calls.
  void Post(std::function<void()> run) { After(Nanos(0), std::move(run)); }

 private:
  void AtWorld(TimePoint when, std::function<void()> run) {
    time_.At(when, [alive = std::weak_ptr(alive_), run = std::move(run)] {
      if (!alive.expired()) run();
    });
  }

  Scheduler& time_;
  const MachineClock& clock_;
  const std::shared_ptr<const int> alive_ = std::make_shared<int>(0);
};

}  // namespace updraft::sim
