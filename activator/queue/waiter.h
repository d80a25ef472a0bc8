// A request that asks for a slot, and the slot it gets. Part of the asking object: a wait needs no
// memory of its own. One worker's loop thread.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/ring.h"
#include "core/base/timer_wheel.h"

namespace updraft::activator {

class Dispatcher;
class Instance;
class Revision;
struct RevisionShard;

// The right to have one request in an instance. Give it back exactly once with Dispatcher::Release();
// revision and instance live at least until then.
struct Slot {
  Revision* revision = nullptr;
  Instance* instance = nullptr;
  // The request was held because the revision had no instance, and this one was started for it.
  bool cold = false;

  explicit operator bool() const { return instance != nullptr; }
};

class Waiter : private RingLink {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // The outcome: after Acquire() said so, or in OnSettled().
  const Slot& slot() const { return slot_; }                         // set when granted
  const std::optional<Error>& refusal() const { return refusal_; }  // set when refused

 protected:
  // REQUIRES: not waiting; Cancel() first.
  ~Waiter();

  // The wait is over: slot() or refusal() is set. Called once after Acquire() returned kWaiting, at
  // the end of a turn of the loop; never from within a call of the dispatcher. May call the
  // dispatcher, and destroy this waiter.
  virtual void OnSettled() = 0;

 private:
  friend class Dispatcher;
  friend struct RevisionShard;

  enum class State : uint8_t { kIdle, kWaiting, kSettled };

  Slot slot_;
  std::optional<Error> refusal_;
  RevisionShard* shard_ = nullptr;
  State state_ = State::kIdle;
  bool found_no_instance_ = false;
};

}  // namespace updraft::activator
