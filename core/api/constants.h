// Names that Knative gives to labels, annotations and groups.
#pragma once

#include <string_view>

namespace updraft::api {

inline constexpr std::string_view kServingGroup = "serving.knative.dev";
inline constexpr std::string_view kServingVersion = "serving.knative.dev/v1";
inline constexpr std::string_view kSystemNamespace =
    "knative-serving";  // where the config-* ConfigMaps are

inline constexpr std::string_view kServiceLabel = "serving.knative.dev/service";
inline constexpr std::string_view kServiceUidLabel = "serving.knative.dev/serviceUID";
inline constexpr std::string_view kConfigurationLabel = "serving.knative.dev/configuration";
inline constexpr std::string_view kConfigurationUidLabel = "serving.knative.dev/configurationUID";
inline constexpr std::string_view kConfigurationGenerationLabel =
    "serving.knative.dev/configurationGeneration";
inline constexpr std::string_view kRevisionLabel = "serving.knative.dev/revision";
inline constexpr std::string_view kRevisionUidLabel = "serving.knative.dev/revisionUID";
inline constexpr std::string_view kRouteLabel = "serving.knative.dev/route";
inline constexpr std::string_view kRoutingStateLabel = "serving.knative.dev/routingState";
inline constexpr std::string_view kVisibilityLabel = "networking.knative.dev/visibility";
inline constexpr std::string_view kClusterLocal = "cluster-local";

inline constexpr std::string_view kRoutesAnnotation = "serving.knative.dev/routes";
inline constexpr std::string_view kRoutingStateModifiedAnnotation =
    "serving.knative.dev/routingStateModified";
inline constexpr std::string_view kCreatorAnnotation = "serving.knative.dev/creator";
inline constexpr std::string_view kLastModifierAnnotation = "serving.knative.dev/lastModifier";
inline constexpr std::string_view kRolloutDurationAnnotation =
    "serving.knative.dev/rollout-duration";
inline constexpr std::string_view kProgressDeadlineAnnotation =
    "serving.knative.dev/progress-deadline";
inline constexpr std::string_view kLastAppliedAnnotation =
    "kubectl.kubernetes.io/last-applied-configuration";
inline constexpr std::string_view kDefaultContainerAnnotation =
    "kubectl.kubernetes.io/default-container";

inline constexpr std::string_view kAutoscalingGroup = "autoscaling.knative.dev";
inline constexpr std::string_view kKpaClass = "kpa.autoscaling.knative.dev";
inline constexpr std::string_view kHpaClass = "hpa.autoscaling.knative.dev";

// Updraft's own, on a revision's template.
inline constexpr std::string_view kOwnGroup = "updraft.dev";
inline constexpr std::string_view kKeepAliveAnnotation = "updraft.dev/keep-alive";
inline constexpr std::string_view kKeepAliveAdaptive = "adaptive";
inline constexpr std::string_view kSilentStreamTimeoutAnnotation =
    "updraft.dev/silent-stream-timeout";

}  // namespace updraft::api
