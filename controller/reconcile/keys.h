// Names of resources, labels and annotations that the reconcilers deal in.
#pragma once

#include <string>
#include <string_view>

#include "controller/objects/object_store.h"
#include "core/api/json.h"
#include "core/api/meta.h"

namespace updraft::controller {

namespace resource {
inline constexpr char kServices[] = "serving.knative.dev/services";
inline constexpr char kConfigurations[] = "serving.knative.dev/configurations";
inline constexpr char kRevisions[] = "serving.knative.dev/revisions";
inline constexpr char kRoutes[] = "serving.knative.dev/routes";
inline constexpr char kDomainMappings[] = "serving.knative.dev/domainmappings";
inline constexpr char kDomainClaims[] = "networking.internal.knative.dev/clusterdomainclaims";
inline constexpr char kCoreServices[] = "services";
inline constexpr char kEvents[] = "events";
inline constexpr char kNamespaces[] = "namespaces";
inline constexpr char kSecrets[] = "secrets";
inline constexpr char kServiceAccounts[] = "serviceaccounts";
inline constexpr char kClaims[] = "persistentvolumeclaims";
}  // namespace resource

namespace label {
inline constexpr char kService[] = "serving.knative.dev/service";
inline constexpr char kServiceUid[] = "serving.knative.dev/serviceUID";
inline constexpr char kConfiguration[] = "serving.knative.dev/configuration";
inline constexpr char kConfigurationUid[] = "serving.knative.dev/configurationUID";
inline constexpr char kConfigurationGeneration[] = "serving.knative.dev/configurationGeneration";
inline constexpr char kRoute[] = "serving.knative.dev/route";
inline constexpr char kRoutingState[] =
    "serving.knative.dev/routingState";  // pending, active, reserve
inline constexpr char kVisibility[] = "networking.knative.dev/visibility";
}  // namespace label

namespace annotation {
inline constexpr char kRoutes[] = "serving.knative.dev/routes";  // names, separated by commas
inline constexpr char kRoutingStateModified[] = "serving.knative.dev/routingStateModified";
inline constexpr char kCreator[] = "serving.knative.dev/creator";
inline constexpr char kLastModifier[] = "serving.knative.dev/lastModifier";
inline constexpr char kHttpProtocol[] = "networking.knative.dev/http-protocol";
inline constexpr char kHttpProtocolOld[] = "networking.knative.dev/httpOption";
inline constexpr char kNoGc[] = "serving.knative.dev/no-gc";
inline constexpr char kRolloutDuration[] = "serving.knative.dev/rollout-duration";
inline constexpr char kRolloutDurationOld[] = "serving.knative.dev/rolloutDuration";
inline constexpr char kLastApplied[] = "kubectl.kubernetes.io/last-applied-configuration";
}  // namespace annotation

inline constexpr char kServingApiVersion[] = "serving.knative.dev/v1";
inline constexpr char kClusterLocal[] = "cluster-local";

// Key of an object of `resource` in the namespace of `object`.
inline ObjectKey KeyIn(const Json& object, std::string_view resource, std::string name) {
  return {
      .resource = std::string(resource), .ns = api::NamespaceOf(object), .name = std::move(name)};
}
inline ObjectKey KeyOf(const Json& object, std::string_view resource) {
  return KeyIn(object, resource, api::NameOf(object));
}

// As Go's %q prints a name.
inline std::string InQuotes(std::string_view name) { return "\"" + std::string(name) + "\""; }

}  // namespace updraft::controller
