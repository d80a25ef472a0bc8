// Turns the load on one revision into a count of instances: Knative's KPA, to the digit. Pure.
//
// The caller gathers the averages, remembers `Memory` between calls, applies bounds (scale_target.h) and reports.
#pragma once

#include <optional>

#include "autoscaler/kpa/policy.h"
#include "autoscaler/kpa/window.h"
#include "core/base/clock.h"

namespace updraft::autoscaler {

// What was observed, averaged over the two windows that end now; in requests in flight or requests per second.
struct Observation {
  double stable = 0;
  double panic = 0;
  int ready = 0;          // instances that take requests
  bool reachable = true;  // false: no route leads to the revision
};

// All that the decider knows about the past.
struct Memory {
  std::optional<TimePoint> panic_since = std::nullopt;  // the last time the panic threshold was exceeded
  int panic_peak = 0;                                   // highest count asked for in this panic
  std::optional<DelayWindow> delay = std::nullopt;      // for scale-down-delay
};

struct Verdict {
  int desired = 0;
  double excess_burst_capacity = 0;
  bool panic = false;
};

// For a revision that the decider has not seen before. With more than one ready instance it begins in panic at that
// count, so that an autoscaler that was restarted never scales down blindly.
Memory BirthMemory(const Policy& policy, int ready, TimePoint now);

// Equal arguments give equal verdicts. While panicking the count never falls.
Verdict Decide(const Policy& policy, const Observation& observation, Memory& memory, TimePoint now);

}  // namespace updraft::autoscaler
