// Where one coroutine waits for something that its owner knows of. Loop thread only.
#pragma once

#include <coroutine>
#include <utility>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/timer_wheel.h"

namespace updraft::http {

// Nothing is kept: who waits looks at his condition before and after. What a wait needs is part of
// the wait, because most gates are never waited at.
//   while (!condition && !late) {
//     Gate::Wait wait(gate, deadline);
//     late = !co_await wait;
//   }
class Gate {
 public:
  class Wait;

  explicit Gate(Loop& loop) : loop_(loop) {}
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Wakes the one that waits, at the end of the loop's turn; no effect when nobody does.
  void Open();

 private:
  Loop& loop_;
  Wait* waiting_ = nullptr;
};

// False: `deadline` came first. One at a time.
class Gate::Wait final : private Timer, private Deferred {
 public:
  Wait(Gate& gate, TimePoint deadline)
      : Timer(gate.loop_.timers()), gate_(&gate), deadline_(deadline) {}
  ~Wait() override { Leave(); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    gate_->waiting_ = this;
    if (deadline_ != TimePoint::max()) Set(deadline_);
  }
  bool await_resume() const noexcept { return timely_; }

 private:
  friend class Gate;

  void OnTimer() override {
    timely_ = false;
    Resume();
  }
  void Run() override { Resume(); }
  void Resume() {
    Cancel();
    Leave();
    if (handle_) std::exchange(handle_, {}).resume();
  }
  void Leave() {
    if (gate_ != nullptr && gate_->waiting_ == this) gate_->waiting_ = nullptr;
  }

  Gate* gate_;  // null: it is gone
  const TimePoint deadline_;
  std::coroutine_handle<> handle_;
  bool timely_ = true;
};

inline Gate::~Gate() {
  if (waiting_ != nullptr) waiting_->gate_ = nullptr;
}

inline void Gate::Open() {
  if (waiting_ != nullptr) loop_.Defer(waiting_);
}

}  // namespace updraft::http
