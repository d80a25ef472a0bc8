// The conditions of Pods and Nodes, whose rules are not those of Knative's. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/api/json.h"
#include "core/base/clock.h"

namespace updraft::controller {

struct CoreCondition {
  std::string_view type;
  bool holds = false;
  std::string reason;  // of a condition that does not hold
  std::string message;
};

// {type, status, lastTransitionTime, ...}; the time is that of `previous` (the object as it was
// shown, may be null) unless the status has changed.
Json BuildCondition(const CoreCondition& condition, const Json* previous, WallTime now);

}  // namespace updraft::controller
