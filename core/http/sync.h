// Waiting in coroutines: for each other and for time. Loop thread only.
#pragma once

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/ring.h"
#include "core/http/task.h"

namespace updraft::http {

// Wakes those who wait. A Notify() that finds nobody waiting is kept for the next wait, so that no
// wake-up is lost; several such are one. Waiters go on at the end of the loop's turn, in the order
// in which they came, never inside Notify().
class Signal {
 public:
  explicit Signal(Loop& loop) : loop_(loop) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void Notify();
  Task<void> Wait();
  // False: `deadline` came first.
  Task<bool> WaitUntil(TimePoint deadline);

 private:
  Loop& loop_;
  bool notified_ = false;
  RingLink waiters_;
};

Task<void> SleepUntil(Loop& loop, TimePoint when);

}  // namespace updraft::http
