// One container of a Revision's pod template. Pure.
#pragma once

#include <string>
#include <vector>

#include "controller/instances/environment.h"
#include "core/api/json.h"
#include "core/base/result.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

struct ContainerContext {
  bool serving = false;            // owns the port and has a readiness probe, asked for or not
  uint32_t port = 8080;            // the serving container's
  std::string image_digest;        // "sha256:...", empty: not resolved
  std::vector<Variable> platform;  // PORT, K_SERVICE, ...
};

// kFailedPrecondition: see EnvironmentOf(). kInvalidArgument: a quantity that is none.
Result<v1::Container> ReadContainer(const Json& container, const Json& pod_security,
                                    const ContainerContext& context, const NamedObjects& named,
                                    const DownwardFields& fields = {});

// A readiness probe without a period is Knative's aggressive one, any other has Kubernetes'
// default.
enum class ProbeUse { kReadiness, kLiveness, kStartup };

// `probe` as in the API. Port 0, no port and the port's name stand for the serving port.
v1::Probe ReadProbe(const Json& probe, ProbeUse use, const ContainerContext& context);

}  // namespace updraft::controller
