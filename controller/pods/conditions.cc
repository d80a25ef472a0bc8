#include "controller/pods/conditions.h"

#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
Json BuildCondition(const CoreCondition& condition, const Json* previous, WallTime now) {
  const std::string status = condition.holds ? "True" : "False";
  std::string since = api::FormatTimestamp(now);
  if (previous != nullptr) {
    const auto before = api::ConditionOf(*previous, condition.type);
    if (before && before->status == status) since = before->last_transition_time;
  }
  Json json = {
      {"type", std::string(condition.type)}, {"status", status}, {"lastTransitionTime", since}};
  if (!condition.reason.empty()) json["reason"] = condition.reason;
  if (!condition.message.empty()) json["message"] = condition.message;
  return json;
}

}  // namespace updraft::controller
