// From the decider's count to what is applied: bounds, initial scale, activation, and the way to zero. Pure.
//
// Knative's PodAutoscaler reconciler, for a platform whose activator is always in the path: the probe that asks
// Knative's ingress whether the activator answers there is answered by construction, and the time for which it has
// been in the path (`proxied_for`) is long past, so that the grace period never has to be waited for.
//
//   want                ready        -> active
//   0, or minimum 0     any             kFalse (kTimedOut if it was activating and minimum > 0)
//   > 0                 < minimum       kActivating
//   no opinion          < minimum       kActivating, unless it is inactive already
//   > 0 or no opinion   >= minimum      kTrue (no opinion: unless it is inactive already)
//   minimum: max(min scale, initial scale) until it was reached once, then max(min scale, 1)
//
// Where Knative's users complain we do better: an activation that failed is remembered (kTimedOut stays until one
// succeeds or a request comes), and such a revision goes to zero whatever its bounds say; one that no route leads to
// goes to zero at once, without having failed.
#pragma once

#include <optional>

#include "autoscaler/kpa/policy.h"
#include "core/base/clock.h"

namespace updraft::autoscaler {

enum class Active { kActivating, kTrue, kFalse, kTimedOut };

// What is remembered of a revision's target between calls.
struct TargetState {
  Active active = Active::kActivating;
  TimePoint since;           // when `active` became what it is
  bool initialized = false;  // the initial scale was reached once
  int applied = 0;           // the count that was last applied

  bool operator==(const TargetState&) const = default;
};

struct TargetFacts {
  std::optional<int> desired;  // the decider's; nullopt: it has no opinion yet
  int ready = 0;
  bool reachable = true;
  Nanos progress_deadline = Seconds(600);
  int floor = 0;                     // a count to keep beside min scale: scheduled or foreseen
  Nanos proxied_for = Nanos::max();  // how long the activator has been in the path
};

// The new state; `applied` is the count to have from now on.
TargetState NextTarget(const Policy& policy, const TargetFacts& facts, const TargetState& before, TimePoint now);

// Where a revision starts: from what runs when it is known already, else with its initial scale.
TargetState BirthTarget(const Policy& policy, bool initialized, int ready, int existing, bool reachable, TimePoint now);

}  // namespace updraft::autoscaler
