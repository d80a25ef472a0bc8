// Credentials for registries: what imagePullSecrets hold. Pure.
#pragma once

#include <string>
#include <vector>

#include "controller/instances/revision_spec.h"
#include "core/api/json.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

// Those of one Secret of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg; empty for
// any other, and for one that cannot be read: the pull will say what is missing.
std::vector<v1::ImageAuth> AuthOf(const Json& secret);

// Those of the pod spec's own imagePullSecrets, then those of its ServiceAccount ("default" unless
// named). Secrets that do not exist are skipped, as Kubernetes does.
std::vector<v1::ImageAuth> PullAuthOf(const Json& pod_spec, const NamedObjects& named);

}  // namespace updraft::controller
