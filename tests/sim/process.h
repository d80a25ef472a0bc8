// A machine's clocks, and the life of one program on it.
#pragma once

#include <algorithm>
#include <deque>
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
  // Stands still: what is due meanwhile is done after it, in its order. Its clocks go on.
  void Freeze(Nanos span) {
    frozen_until_ = std::max(frozen_until_, time_.now() + span);
    Thaw();
  }
  bool frozen() const { return time_.now() < frozen_until_; }
  // At once, if it can; after all that came before.
  void Run(std::function<void()> run) {
    if (!frozen() && waiting_.empty()) return run();
    waiting_.push_back(std::move(run));
  }

  // In the order of the calls.
  void Post(std::function<void()> run) { After(Nanos(0), std::move(run)); }

  // For answers from elsewhere: they reach whoever still lives.
  class Handle {
   public:
    Handle(Process& of, std::weak_ptr<const int> alive) : of_(of), alive_(std::move(alive)) {}
    void Post(std::function<void()> run) const {
      if (!alive_.expired()) of_.Post(std::move(run));
    }

   private:
    Process& of_;
    std::weak_ptr<const int> alive_;
  };
  Handle handle() { return {*this, alive_}; }

 private:
  void AtWorld(TimePoint when, std::function<void()> run) {
    time_.At(when, [this, alive = std::weak_ptr(alive_), run = std::move(run)]() mutable {
      if (!alive.expired()) Run(std::move(run));
    });
  }

  void Thaw() {
    time_.At(frozen_until_, [this, alive = std::weak_ptr(alive_)] {
      if (alive.expired()) return;
      while (!waiting_.empty() && !frozen()) {
        const std::function<void()> run = std::move(waiting_.front());
        run();
        waiting_.pop_front();
      }
    });
  }

  Scheduler& time_;
  const MachineClock& clock_;
  TimePoint frozen_until_ = {};
  std::deque<std::function<void()>> waiting_;  // while it stands still
  const std::shared_ptr<const int> alive_ = std::make_shared<int>(0);
};

}  // namespace updraft::sim
