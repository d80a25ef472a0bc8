#include "cli/client/newest_instance.h"

#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::cli {
namespace {

bool HasStarted(const Json& pod) {
  for (const Json& container : api::ArrayAt(pod, {"status", "containerStatuses"})) {
    const bool ran = api::Find(container, {"state", "running"}) != nullptr ||
                     api::Find(container, {"state", "terminated"}) != nullptr ||
                     api::Find(container, {"lastState", "terminated"}) != nullptr;
    if (ran) return true;
  }
  return false;
}

}  // namespace

std::optional<InstanceAge> NewestStarted(const ObjectsByName& pods, const InstanceAge& after) {
  std::optional<InstanceAge> newest;
  for (const auto& [key, pod] : pods) {
    const InstanceAge age{api::StringAt(pod, {"metadata", "creationTimestamp"}), api::NameOf(pod)};
    if (age <= after || !HasStarted(pod)) continue;
    if (!newest || *newest < age) newest = age;
  }
  return newest;
}

}  // namespace updraft::cli
