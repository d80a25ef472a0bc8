// A coroutine's wait for a slot, and the slot while the request holds it. Loop thread only.
#pragma once

#include <coroutine>

#include "activator/queue/dispatcher.h"
#include "core/base/loop.h"

namespace updraft::activator {

class SlotHold final : private Waiter, private Deferred {
 public:
  SlotHold(Dispatcher& dispatcher, Loop& loop) : dispatcher_(dispatcher), loop_(loop) {}
  // Leaves the queue, or gives the slot back.
  ~SlotHold() override;

  // Asks for a slot. pending(): wait for Settled(); else there is a slot or a refusal already.
  void Acquire(Revision& revision, Dispatcher::Attempt attempt);
  class Wait;
  // Until there is a slot, a refusal, or GiveUp().
  Wait Settled();
  // Ends a wait with neither slot nor refusal; no effect when there is none. Resumes nothing inside
  // the call.
  void GiveUp();
  bool pending() const { return pending_; }

  bool held() const { return static_cast<bool>(slot_); }
  const Slot& slot() const { return slot_; }  // REQUIRES: held()
  const std::optional<Error>& refusal() const { return Waiter::refusal(); }
  void Release();

 private:
  void OnSettled() override;
  void Run() override;

  Dispatcher& dispatcher_;
  Loop& loop_;
  bool pending_ = false;
  std::coroutine_handle<> waiting_;
  Slot slot_;
};

class SlotHold::Wait {
 public:
  explicit Wait(SlotHold* hold) : hold_(hold) {}
  bool await_ready() const noexcept { return !hold_->pending_; }
  void await_suspend(std::coroutine_handle<> handle) const noexcept { hold_->waiting_ = handle; }
  void await_resume() const noexcept {}

 private:
  SlotHold* hold_;
};

inline SlotHold::Wait SlotHold::Settled() { return Wait(this); }

}  // namespace updraft::activator
