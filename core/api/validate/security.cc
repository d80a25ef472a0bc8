#include <limits>

#include "core/api/access.h"
#include "core/api/validate/masks.h"
#include "core/api/validate/pod_parts.h"

namespace updraft::api {
namespace {

constexpr int64_t kIdMax = std::numeric_limits<int32_t>::max();

FieldErrors CheckIdValue(int64_t id, const std::string& path) {
  if (id >= 0 && id <= kIdMax) return {};
  return OutOfBounds(std::to_string(id), "0", std::to_string(kIdMax), path);
}

}  // namespace

void CheckId(const Json& security, const char* field, FieldErrors& errors) {
  if (Find(security, {field}) != nullptr) errors.Add(CheckIdValue(IntAt(security, {field}), field));
}

FieldErrors ValidateSecurity(const Json& security, const Features& features) {
  FieldErrors errors = CheckSecurityFields(security, features);
  CheckId(security, "runAsUser", errors);
  CheckId(security, "runAsGroup", errors);
  return errors;
}

FieldErrors ValidatePodSecurity(const Json& security, const Features& features) {
  FieldErrors errors = CheckPodSecurityFields(security, features);
  CheckId(security, "runAsUser", errors);
  CheckId(security, "runAsGroup", errors);
  CheckId(security, "fsGroup", errors);
  const Json& groups = ArrayAt(security, {"supplementalGroups"});
  for (size_t i = 0; i < groups.size(); ++i) {
    errors.Add(CheckIdValue(IntAt(groups[i], {}), "").ViaFieldIndex("supplementalGroups", i));
  }
  return errors;
}

FieldErrors WarnInsecureDefaults(const Json& pod, const Json& container, const Features& features) {
  if (features.SecureDefaults()) return {};
  const Json& pod_security = ObjectAt(pod, {"securityContext"});
  const Json& security = ObjectAt(container, {"securityContext"});
  std::vector<std::string> insecure;
  const auto unset = [&](const char* field) {
    return Find(security, {field}) == nullptr && Find(pod_security, {field}) == nullptr;
  };
  if (unset("runAsNonRoot")) insecure.emplace_back("runAsNonRoot");
  if (Find(security, {"allowPrivilegeEscalation"}) == nullptr)
    insecure.emplace_back("allowPrivilegeEscalation");
  if (unset("seccompProfile")) {
    insecure.emplace_back("seccompProfile");
  } else if (StringAt(security, {"seccompProfile", "type"}).empty() &&
             StringAt(pod_security, {"seccompProfile", "type"}).empty()) {
    insecure.emplace_back("seccompProfile.type");
  }
  FieldErrors errors;
  const Json& drop = ArrayAt(security, {"capabilities", "drop"});
  if (Find(security, {"capabilities"}) == nullptr) {
    insecure.emplace_back("capabilities");
  } else if (Find(security, {"capabilities", "drop"}) == nullptr) {
    insecure.emplace_back("capabilities.drop");
  } else if (!drop.empty() && drop.front() == "all") {
    errors.Add(InvalidValue("all", "capabilities.drop", "Must be spelled as 'ALL'"));
  }
  if (!insecure.empty()) {
    errors.Add(
        Generic("Kubernetes default value is insecure, Knative may default this to secure in a "
                "future release",
                std::move(insecure)));
  }
  return errors.AtLevel(FieldError::Level::kWarning);
}

}  // namespace updraft::api
