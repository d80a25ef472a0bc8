#include "autoscaler/kpa/scale_target.h"

#include <algorithm>

namespace updraft::autoscaler {
namespace {

// Knative gives the deployment's own deadline this much room before it gives up.
constexpr Nanos kActivationBuffer = Seconds(30);

// Nothing has become ready for longer than a start may take, or that was so and nobody has asked since: whatever the
// bounds say, the revision goes to zero and stays there until a request comes.
bool GaveUp(const TargetFacts& facts, const TargetState& before, TimePoint now) {
  if (before.active == Active::kTimedOut) return true;
  return before.active == Active::kActivating && facts.ready == 0 &&
         now - before.since > facts.progress_deadline + kActivationBuffer;
}

int Minimum(const Policy& policy, const TargetFacts& facts, const TargetState& before, TimePoint now) {
  if (!facts.reachable || GaveUp(facts, before, now)) return 0;
  const int floor = policy.max_scale > 0 ? std::min(facts.floor, policy.max_scale) : facts.floor;
  const int least = std::max(policy.min_scale, floor);
  if (!before.initialized && policy.initial_scale > 1) return std::max(least, policy.initial_scale);
  return least;
}

// A minimum above the bound counts, as in Knative: an initial scale is reached before max-scale holds, or it never would.
int Within(int count, int least, int most) {
  if (count < least) return least;
  return most > 0 ? std::min(count, std::max(most, least)) : count;
}

struct Want {
  std::optional<int> count;    // nullopt: no opinion
  bool apply = true;           // false: say it, but leave what runs
};

// The rules of the way to zero; REQUIRES: the bounded wish is 0.
Want WantZero(const Policy& policy, const TargetFacts& facts, const TargetState& before, TimePoint now) {
  if (!policy.scale_to_zero) return {.count = 1};
  const Nanos in_state = now - before.since;
  switch (before.active) {
    case Active::kActivating:
      if (!facts.reachable || GaveUp(facts, before, now)) return {.count = 0};
      return {.count = std::nullopt, .apply = false};
    case Active::kTrue:
      // Inactive first, so that whoever reads the condition sees it; to zero with the next call.
      if (in_state >= policy.stable_window) return {.count = 0, .apply = false};
      return {.count = 1};
    case Active::kFalse:
    case Active::kTimedOut: {
      const Nanos retention = facts.reachable ? policy.retention : Nanos(0);
      if (in_state >= std::max(policy.grace, retention)) return {.count = 0};
      return {.count = 0, .apply = in_state >= retention && facts.proxied_for >= policy.grace};
    }
  }
  return {.count = 0};
}

Want WantOf(const Policy& policy, const TargetFacts& facts, const TargetState& before, TimePoint now) {
  if (!facts.desired && before.active != Active::kActivating) return {.count = std::nullopt, .apply = false};
  const int count = Within(facts.desired.value_or(0), Minimum(policy, facts, before, now), policy.max_scale);
  if (count == 0) return WantZero(policy, facts, before, now);
  return {.count = count};
}

// As many must be ready for the revision to be active. The floor is not among what its user asked for.
int ActiveThreshold(const Policy& policy, const TargetFacts& facts, const TargetState& before) {
  const int least = facts.reachable ? policy.min_scale : 0;
  return before.initialized ? std::max(least, 1) : std::max(least, policy.initial_scale);
}

Active ActiveFor(const TargetFacts& facts, const TargetState& before, const Want& want, int minimum, bool gave_up) {
  if (want.count == 0 || minimum == 0) {
    if (before.active == Active::kTimedOut) return Active::kTimedOut;
    const bool failed = before.active == Active::kActivating && minimum > 0 && (facts.reachable || gave_up);
    return failed ? Active::kTimedOut : Active::kFalse;
  }
  const bool inactive = before.active == Active::kFalse || before.active == Active::kTimedOut;
  if (!want.count && inactive) return before.active;
  return facts.ready >= minimum ? Active::kTrue : Active::kActivating;
}

}  // namespace

TargetState NextTarget(const Policy& policy, const TargetFacts& facts, const TargetState& before, TimePoint now) {
  const Want want = WantOf(policy, facts, before, now);
  TargetState after = before;
  const int minimum = ActiveThreshold(policy, facts, before);
  after.active = ActiveFor(facts, before, want, minimum, GaveUp(facts, before, now));
  if (after.active != before.active) after.since = now;
  if (facts.ready >= minimum) after.initialized = true;
  if (want.count && want.apply) after.applied = *want.count;
  return after;
}

TargetState BirthTarget(const Policy& policy, bool initialized, int ready, int existing, bool reachable, TimePoint now) {
  TargetState state;
  state.initialized = initialized;
  state.since = now;
  // One that is being replaced may exist beside its successor: that is no leave to go above the bound.
  state.applied = Within(existing, 0, policy.max_scale);
  if (!initialized && reachable) {
    state.applied = Within(existing, std::max(policy.initial_scale, policy.min_scale), policy.max_scale);
    state.active = state.applied == 0 ? Active::kFalse : Active::kActivating;
    if (state.applied == 0) state.initialized = true;
    return state;
  }
  if (ready > 0) {
    state.active = Active::kTrue;
  } else {
    state.active = existing > 0 ? Active::kActivating : Active::kFalse;
  }
  return state;
}

}  // namespace updraft::autoscaler
