#include "core/http/sync.h"

#include <coroutine>
#include <utility>

namespace updraft::http {
namespace {

// One coroutine that waits for a signal, a time or either. Lives in the frame of its task, so that
// a task that is destroyed leaves both lists.
class Waiter final : public RingLink {
 public:
  explicit Waiter(Loop& loop) : loop_(loop) {}
  ~Waiter() { loop_.Cancel(timer_); }

  void WakeAt(TimePoint when) {
    timer_ = loop_.At(when, [this] {
      timer_ = 0;
      Wake(false);
    });
  }
  void Wake(bool notified) {
    Unlink();
    loop_.Cancel(std::exchange(timer_, 0));
    notified_ = notified;
    loop_.Defer(&resumption_);
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { resumption_.handle = handle; }
  bool await_resume() const noexcept { return notified_; }

 private:
  class Resumption final : public Deferred {
   public:
    void Run() override { handle.resume(); }
    std::coroutine_handle<> handle;
  };

  Loop& loop_;
  Loop::TimerId timer_ = 0;
  bool notified_ = false;
  Resumption resumption_;
};

}  // namespace

void Signal::Notify() {
  if (!waiters_.linked()) {
    notified_ = true;
    return;
  }
  while (waiters_.linked()) {
    static_cast<Waiter*>(waiters_.next)->Wake(true);
  }
}

Task<void> Signal::Wait() {
  if (notified_) {
    notified_ = false;
    co_return;
  }
  Waiter waiter(loop_);
  waiter.AppendTo(waiters_);
  co_await waiter;
}

Task<bool> Signal::WaitUntil(TimePoint deadline) {
  if (notified_) {
    notified_ = false;
    co_return true;
  }
  Waiter waiter(loop_);
  waiter.AppendTo(waiters_);
  waiter.WakeAt(deadline);
  const bool notified = co_await waiter;
  co_return notified;
}

Task<void> SleepUntil(Loop& loop, TimePoint when) {
  Waiter waiter(loop);
  waiter.WakeAt(when);
  co_await waiter;
}

}  // namespace updraft::http
