// When a program that has ended is started again. Pure.
#pragma once

#include "core/base/backoff.h"
#include "core/base/clock.h"

namespace updraft::cli {

// What is remembered of a program's past.
struct RestartMemory {
  int failures_in_row = 0;
  int restarts = 0;  // in all, for people to see
};

struct RestartDecision {
  TimePoint start_at;
  RestartMemory memory;
};

// A program that ran for kSteadyAfter has recovered: its next end counts as the first. The first end is
// answered at once, the following ones after a wait that doubles from 100 ms to 10 s.
inline constexpr Nanos kSteadyAfter = Seconds(10);
inline constexpr BackoffPolicy kRestartBackoff = {.first = Millis(100), .most = Seconds(10)};

inline RestartDecision DecideRestart(RestartMemory memory, TimePoint started, TimePoint ended, double jitter) {
  if (ended - started >= kSteadyAfter) memory.failures_in_row = 0;
  const Nanos wait =
      memory.failures_in_row == 0 ? Nanos(0) : BackoffDelay(kRestartBackoff, memory.failures_in_row, jitter);
  ++memory.failures_in_row;
  ++memory.restarts;
  return {ended + wait, memory};
}

}  // namespace updraft::cli
