// Coarse timers by the million: setting and cancelling one takes a few instructions, whatever their
// number. A hierarchy of six wheels of 64 slots each; a tick is a millisecond. For single timers
// that must be exact there is Loop::At(). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/base/ring.h"

namespace updraft {

class TimerWheel;

// A timer inside the object that it is for. Owned by that object; one loop thread.
class Timer : private RingLink {
 public:
  explicit Timer(TimerWheel& wheel) : wheel_(wheel) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Fires once, never before `when` and as soon after it as the tick and the loop's turn allow. Set
  // again before that, it fires at the later setting's time only.
  void Set(TimePoint when);
  void Cancel();
  bool armed() const { return linked(); }

 protected:
  virtual ~Timer() { Cancel(); }
  // The timer is no longer armed. May set, cancel and destroy any timer, this one included.
  virtual void OnTimer() = 0;

 private:
  friend class TimerWheel;

  TimerWheel& wheel_;
  uint64_t tick_ = 0;
  uint16_t slot_ = 0;
};

// REQUIRES: outlives its timers.
class TimerWheel {
 public:
  explicit TimerWheel(TimePoint start) : start_(start) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires what is due at `now`, in order of time to the millisecond; what is set meanwhile for the
  // past waits for the next call. `now` never goes back.
  void Advance(TimePoint now);

  // No timer fires before this; for one that is far away it is early. Empty: no timer is armed.
  std::optional<TimePoint> Next() const;

  // Timers that were taken from their places so far, to fire or to be put nearer: the work that Advance() has done.
  uint64_t touched() const { return touched_; }

 private:
  friend class Timer;

  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1u << kBits;
  static constexpr unsigned kLevels = 6;
  static constexpr uint16_t kDueSlot = kSlots * kLevels;

  void Place(Timer* timer);
  void Append(uint16_t slot, Timer* timer);
  void Remove(Timer* timer);
  void Fire(RingLink& ring);
  std::optional<uint64_t> NextTick(unsigned* level) const;

  const TimePoint start_;
  uint64_t tick_ = 0;                         // everything up to and including this was fired
  uint64_t touched_ = 0;
  std::array<uint64_t, kLevels> occupied_{};  // a bit per slot
  std::array<RingLink, kSlots * kLevels + 1> rings_;  // the last: due already when set
};

}  // namespace updraft
