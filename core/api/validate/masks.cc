#include "core/api/validate/masks.h"

#include <algorithm>

#include "core/api/access.h"

namespace updraft::api {

FieldErrors CheckAllowed(const Json& object, std::initializer_list<AllowedField> allowed,
                         const Features& features) {
  if (!object.is_object()) return {};
  std::vector<std::string> refused;
  for (const auto& [name, value] : object.items()) {
    if (value.is_null()) continue;
    const auto found = std::ranges::find(allowed, std::string_view(name), &AllowedField::name);
    if (found == allowed.end() || (!found->feature.empty() && features.Disabled(found->feature)))
      refused.push_back(name);
  }
  if (refused.empty()) return {};
  return DisallowedFields(std::move(refused));
}

FieldErrors CheckPodFields(const Json& spec, const Features& features) {
  // The first four are the revision's own.
  FieldErrors errors =
      CheckAllowed(spec,
                   {{"containerConcurrency"},
                    {"timeoutSeconds"},
                    {"responseStartTimeoutSeconds"},
                    {"idleTimeoutSeconds"},
                    {"containers"},
                    {"volumes"},
                    {"serviceAccountName"},
                    {"imagePullSecrets"},
                    {"enableServiceLinks"},
                    {"automountServiceAccountToken"},
                    {"securityContext"},
                    {"affinity", "kubernetes.podspec-affinity"},
                    {"topologySpreadConstraints", "kubernetes.podspec-topologyspreadconstraints"},
                    {"hostAliases", "kubernetes.podspec-hostaliases"},
                    {"nodeSelector", "kubernetes.podspec-nodeselector"},
                    {"tolerations", "kubernetes.podspec-tolerations"},
                    {"runtimeClassName", "kubernetes.podspec-runtimeclassname"},
                    {"shareProcessNamespace", "kubernetes.podspec-shareprocessnamespace"},
                    {"priorityClassName", "kubernetes.podspec-priorityclassname"},
                    {"schedulerName", "kubernetes.podspec-schedulername"},
                    {"initContainers", "kubernetes.podspec-init-containers"},
                    {"dnsPolicy", "kubernetes.podspec-dnspolicy"},
                    {"dnsConfig", "kubernetes.podspec-dnsconfig"},
                    {"hostIPC", "kubernetes.podspec-hostipc"},
                    {"hostPID", "kubernetes.podspec-hostpid"},
                    {"hostNetwork", "kubernetes.podspec-hostnetwork"}},
                   features);
  if (BoolAt(spec, {"automountServiceAccountToken"}))
    errors.Add(DisallowedFields({"automountServiceAccountToken"}));
  const bool security = !features.Disabled("kubernetes.podspec-securitycontext") ||
                        !features.Disabled("secure-pod-defaults");
  if (Find(spec, {"securityContext"}) != nullptr && !security)
    errors.Add(DisallowedFields({"securityContext"}));
  return errors;
}

FieldErrors CheckContainerFields(const Json& container, const Features& features) {
  return CheckAllowed(container,
                      {{"name"},
                       {"image"},
                       {"imagePullPolicy"},
                       {"command"},
                       {"args"},
                       {"env"},
                       {"envFrom"},
                       {"workingDir"},
                       {"ports"},
                       {"resources"},
                       {"livenessProbe"},
                       {"readinessProbe"},
                       {"startupProbe"},
                       {"securityContext"},
                       {"terminationMessagePath"},
                       {"terminationMessagePolicy"},
                       {"volumeMounts"}},
                      features);
}

FieldErrors CheckPodSecurityFields(const Json& security, const Features& features) {
  constexpr std::string_view kFeature = "kubernetes.podspec-securitycontext";
  if (!features.Disabled(kFeature)) {
    return CheckAllowed(security,
                        {{"runAsUser"},
                         {"runAsGroup"},
                         {"runAsNonRoot"},
                         {"fsGroup"},
                         {"supplementalGroups"},
                         {"seccompProfile"}},
                        features);
  }
  const std::string seccomp = StringAt(security, {"seccompProfile", "type"});
  const bool plain = seccomp == "RuntimeDefault" || seccomp == "Unconfined";
  if (features.SecureDefaults() && plain)
    return CheckAllowed(security, {{"seccompProfile"}}, features);
  return CheckAllowed(security, {}, features);
}

FieldErrors CheckSecurityFields(const Json& security, const Features& features) {
  FieldErrors errors = CheckAllowed(security,
                                    {{"capabilities"},
                                     {"readOnlyRootFilesystem"},
                                     {"runAsUser"},
                                     {"runAsGroup"},
                                     {"runAsNonRoot"},
                                     {"allowPrivilegeEscalation"},
                                     {"seccompProfile"},
                                     {"privileged"}},
                                    features);
  if (BoolAt(security, {"privileged"})) errors.Add(DisallowedFields({"privileged"}));
  const Json* add = Find(security, {"capabilities", "add"});
  if (add == nullptr || features.Enabled("kubernetes.containerspec-addcapabilities")) return errors;
  const bool only_bind = *add == Json::array({"NET_BIND_SERVICE"});
  if (!features.SecureDefaults() || !only_bind)
    errors.Add(FieldErrors(DisallowedFields({"add"})).ViaField("capabilities"));
  return errors;
}

}  // namespace updraft::api
