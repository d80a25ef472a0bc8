#include "autoscaler/kpa/decider.h"

#include <algorithm>
#include <cmath>

namespace updraft::autoscaler {
namespace {

constexpr double kCountMax = 2'147'483'647;  // Knative counts in 32 bits

double Clamp(double count, double least, double most) {
  return std::min(std::min(std::max(count, least), most), kCountMax);
}

double ExcessBurstCapacity(const Policy& policy, const Observation& observation) {
  if (policy.target_burst_capacity == 0) return 0;
  if (policy.target_burst_capacity < 0) return -1;  // unlimited
  const double excess = std::floor(observation.ready * policy.total - policy.target_burst_capacity - observation.panic);
  return std::clamp(excess, -kCountMax, kCountMax);
}

// Enters, extends or leaves panic mode.
void UpdatePanic(const Policy& policy, bool over_threshold, Memory& memory, TimePoint now) {
  if (over_threshold) {
    memory.panic_since = now;
  } else if (memory.panic_since && now - *memory.panic_since > policy.stable_window) {
    memory.panic_since.reset();
    memory.panic_peak = 0;
  }
}

}  // namespace

Memory BirthMemory(const Policy& policy, int ready, TimePoint now) {
  Memory memory;
  memory.panic_peak = ready;
  if (ready > 1) memory.panic_since = now;
  if (policy.scale_down_delay > Nanos(0)) memory.delay.emplace(policy.scale_down_delay);
  return memory;
}

Verdict Decide(const Policy& policy, const Observation& observation, Memory& memory, TimePoint now) {
  const double ready = std::max(1, observation.ready);
  const double most = std::ceil(policy.max_scale_up_rate * ready);
  const double least = observation.reachable ? std::floor(ready / policy.max_scale_down_rate) : 0;
  const double wanted_stable = std::ceil(observation.stable / policy.target);
  const double wanted_panic = std::ceil(observation.panic / policy.target);
  double stable = Clamp(wanted_stable, least, most);
  double panic = Clamp(wanted_panic, least, most);
  if (policy.activation_scale > 1) {
    if (wanted_stable > 0) stable = std::max(stable, static_cast<double>(policy.activation_scale));
    if (wanted_panic > 0) panic = std::max(panic, static_cast<double>(policy.activation_scale));
  }

  UpdatePanic(policy, wanted_panic / ready >= policy.panic_threshold, memory, now);
  double desired = stable;
  if (memory.panic_since) {
    memory.panic_peak = std::max(memory.panic_peak, static_cast<int>(std::max(stable, panic)));
    desired = memory.panic_peak;
  }
  if (observation.reachable && memory.delay) {
    memory.delay->Record(now, static_cast<int>(desired));
    desired = memory.delay->Maximum(now);
  }
  return {.desired = static_cast<int>(desired),
          .excess_burst_capacity = ExcessBurstCapacity(policy, observation),
          .panic = memory.panic_since.has_value()};
}

}  // namespace updraft::autoscaler
