// Bodies in Kubernetes' protobuf form, which client-go sends for core kinds. Pure.
#pragma once

#include <string_view>

#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::api {

// Namespace, ConfigMap, Secret, ServiceAccount, Event (v1 and events.k8s.io/v1), Eviction and
// DeleteOptions, as the JSON that means the same. kInvalidArgument: broken; kUnimplemented: another kind, which is better sent as
// JSON.
Result<Json> ReadKubernetesProto(std::string_view body);

}  // namespace updraft::api
