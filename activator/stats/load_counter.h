// How loaded a revision is, as one worker sees it: counts, and the exact time integral of the requests
// held or running. One thread writes; any thread reads a consistent picture without stopping it.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>

#include "core/base/clock.h"

namespace updraft::activator {

// A time integral of a count, without loss: request-seconds and the nanoseconds left over.
struct RequestTime {
  uint64_t seconds = 0;
  uint64_t nanos = 0;  // < 1e9

  // Adds `count` requests for `span` >= 0.
  void Add(uint64_t count, Nanos span);
  void Add(const RequestTime& other);
  double ToSeconds() const { return static_cast<double>(seconds) + static_cast<double>(nanos) * 1e-9; }

  auto operator<=>(const RequestTime&) const = default;
};

struct LoadReading {
  RequestTime request_time = {};  // up to `at`
  uint64_t arrivals = 0;
  uint32_t waiting = 0;
  uint32_t running = 0;
  TimePoint at = {};

  // The same, had it been read at `when`; unchanged if that is before `at`.
  LoadReading ExtendedTo(TimePoint when) const;
  bool operator==(const LoadReading&) const = default;
};

class LoadCounter {
 public:
  // ---- the writer's thread. `now` does not go back.
  void Arrived();
  void StartWaiting(TimePoint now) { Move(now, 1, 0); }
  void StopWaiting(TimePoint now) { Move(now, -1, 0); }
  void StartRunning(TimePoint now) { Move(now, 0, 1); }
  void StopRunning(TimePoint now) { Move(now, 0, -1); }
  void WaitingToRunning(TimePoint now) { Move(now, -1, 1); }

  // ---- any thread
  LoadReading Read() const;

 private:
  void Move(TimePoint now, int waiting, int running);
  template <typename Change>
  void Write(Change change);

  LoadReading current_;  // the writer's own copy

  // Odd while a write is under way. The fields are released one by one after it, so that who sees a
  // new field also sees that the sequence has moved.
  std::atomic<uint64_t> sequence_{0};
  std::atomic<uint64_t> seconds_{0};
  std::atomic<uint64_t> nanos_{0};
  std::atomic<uint64_t> arrivals_{0};
  std::atomic<uint32_t> waiting_{0};
  std::atomic<uint32_t> running_{0};
  std::atomic<int64_t> at_{0};
};

}  // namespace updraft::activator
