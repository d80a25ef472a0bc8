// What one revision's instances should do next. Pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "controller/instances/instance.h"
#include "core/base/clock.h"

namespace updraft::controller {

struct DesiredInstanceCount {
  // nullopt: nobody has decided yet. Nothing is started and nothing is stopped.
  std::optional<int> count;
  Nanos start_deadline =
      Seconds(600);            // to its first readiness; a slower instance counts as failed
  TimePoint start_not_before;  // back-off after failed starts
};

struct InstancePlan {
  int start = 0;                        // new instances
  std::vector<InstanceId> stop;         // take out of routing, then stop; cheapest to lose first
  std::vector<InstanceId> forget;       // records of failed ones that are no longer of use
  std::optional<TimePoint> look_again;  // even when nothing is reported until then

  bool operator==(const InstancePlan&) const = default;
};

// Level-triggered: depends on the arguments alone. Once the plan has taken effect, the next call
// plans nothing. At no time do more than `count` instances have the intent to run.
InstancePlan PlanInstances(const DesiredInstanceCount& desired,
                           std::span<const Instance* const> instances, TimePoint now);

}  // namespace updraft::controller
