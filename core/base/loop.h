// An event loop: one thread that owns descriptors, timers and all state that is touched from its
// callbacks. A callback on the loop is a transaction: it never blocks and runs to completion.
//
// Other threads reach the loop through Post() alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ring.h"
#include "core/base/timer_wheel.h"

struct epoll_event;

namespace updraft {

// Told when a watched descriptor is ready. Implemented by connections, listeners and the like.
class FdObserver {
 public:
  // `events` are epoll's bits. The observer may Unwatch and close any descriptor, its own included.
  virtual void OnReady(uint32_t events) = 0;

 protected:
  ~FdObserver() = default;
};

// Work for the end of the loop's turn: for what must not run inside its cause, and for flushing
// what a turn has gathered. Part of the object that it is for; destroyed, it no longer runs.
class Deferred : private RingLink {
 public:
  virtual void Run() = 0;

 protected:
  virtual ~Deferred() = default;

 private:
  friend class Loop;
};

class Loop {
 public:
  using TimerId = uint64_t;  // 0 is never a timer

  // `clock` must outlive the loop, and is read on its thread. One that stands still holds up timers alone; when it has
  // moved, a Post() makes the loop look at it.
  explicit Loop(const Clock& clock = RealClock());
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs callbacks on the calling thread until Stop(). Callbacks posted before Stop() have run.
  void Run();

  // Safe for concurrent use. A Post() after the loop stopped is kept and never run.
  void Stop();
  void Post(std::function<void()> callback);

  // Everything below: loop thread only (or before Run()).

  // The time at the start of this turn; one clock reading serves all callbacks of a turn.
  TimePoint Now() const { return now_; }

  // Runs `callback` once, at `when` or as soon after it as the loop can.
  TimerId At(TimePoint when, std::function<void()> callback);
  TimerId After(Nanos delay, std::function<void()> callback) {
    return At(Now() + delay, std::move(callback));
  }
  void Cancel(TimerId timer);  // no effect on a timer that has fired or on 0

  // For timers that are part of an object (timer_wheel.h): coarser, and far cheaper.
  TimerWheel& timers() { return wheel_; }

  // Watches `fd` for `events` (epoll bits; EPOLLET for edge-triggered). The observer must outlive
  // the watch.
  void Watch(int fd, uint32_t events, FdObserver* observer);
  void Modify(int fd, uint32_t events, FdObserver* observer);
  // Removes the watch; no OnReady for it follows, not even in this turn. Call it before close(), which would not do: while this
  // process starts another, that one has a copy of the descriptor for a moment, and the watch would outlive the observer.
  void Unwatch(int fd, FdObserver* observer);

  // Runs `callback` at the end of this turn, once: for flushing what a turn has gathered.
  void AtEndOfTurn(std::function<void()> callback) { end_of_turn_.push_back(std::move(callback)); }
  // The same without memory of its own; no effect on what waits already.
  void Defer(Deferred* work);

 private:
  void RunPosted();
  void RunTimers();
  void RunEndOfTurn();
  int WaitForEvents(epoll_event* events, int events_max);
  std::optional<Nanos> TimeToWait() const;  // nullopt: until an event

  const Clock& clock_;
  const int epoll_fd_;
  const int wake_fd_;

  // Loop thread only.
  TimePoint now_;
  uint64_t next_timer_ = 1;
  std::map<std::pair<TimePoint, TimerId>, std::function<void()>> timers_;
  std::map<TimerId, TimePoint> timer_times_;
  TimerWheel wheel_;
  std::vector<std::function<void()>> end_of_turn_;
  RingLink deferred_;
  std::vector<FdObserver*> removed_in_turn_;
  uint32_t full_turns_ = 0;     // in a row, in which timers had to wait
  bool nanosecond_wait_ = true;  // until the kernel says that it cannot

  // Guarded by mutex_.
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  bool stop_ = false;
};

// A loop with a named thread of its own. The destructor stops the loop and joins the thread.
class LoopThread {
 public:
  explicit LoopThread(std::string name, const Clock& clock = RealClock());
  ~LoopThread();
  // Stops and joins now, so that what the loop serves can be destroyed before the loop itself.
  void Stop();
  Loop& loop() { return loop_; }

 private:
  Loop loop_;
  std::thread thread_;
};

// A named thread for a blocking call that no loop may make (a library's wait, a disk). The
// destructor joins.
class NamedThread {
 public:
  NamedThread(std::string name, std::function<void()> body);
  ~NamedThread();
  NamedThread(NamedThread&&) = default;
  NamedThread& operator=(NamedThread&&) = delete;

 private:
  std::thread thread_;
};

// Runs `wait` until SIGTERM or SIGINT arrives at the process, then returns the signal's number.
// REQUIRES: BlockTerminationSignals() was called by main before any thread was started.
void BlockTerminationSignals();
int WaitForTerminationSignal();

}  // namespace updraft
