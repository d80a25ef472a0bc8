// Where one coroutine waits for something that its owner knows of. Loop thread only.
#pragma once

#include <coroutine>
#include <utility>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/timer_wheel.h"

namespace updraft::http {

// Nothing is kept: who waits looks at his condition before and after.
//   while (!condition && !late) late = !co_await gate.Pass(deadline);
class Gate final : private Timer, private Deferred {
 public:
  explicit Gate(Loop& loop) : Timer(loop.timers()), loop_(loop) {}

  // Wakes the one that waits, at the end of the loop's turn; no effect when nobody does.
  void Open() {
    if (handle_) loop_.Defer(this);
  }

  struct Wait {
    Gate* gate;
    TimePoint deadline;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const {
      gate->handle_ = handle;
      gate->timely_ = true;
      if (deadline != TimePoint::max()) gate->Set(deadline);
    }
    bool await_resume() const noexcept { return gate->timely_; }
  };
  // False: `deadline` came first. One coroutine at a time.
  Wait Pass(TimePoint deadline) { return {this, deadline}; }

 private:
  void OnTimer() override {
    timely_ = false;
    Resume();
  }
  void Run() override { Resume(); }
  void Resume() {
    Cancel();
    if (handle_) std::exchange(handle_, {}).resume();
  }

  Loop& loop_;
  std::coroutine_handle<> handle_;
  bool timely_ = true;
};

}  // namespace updraft::http
