// Which of the runtime's containers is meant.
#pragma once

#include <string>

#include "core/base/result.h"
#include "node-agent/instance/instance_host.h"

namespace updraft::node_agent {

// The runtime's name of the container `name` of an instance; empty: of its serving one. kNotFound: no such instance
// or container; kFailedPrecondition: it does not run now.
inline Result<std::string> RunningContainer(const InstanceHost& host, const std::string& instance_id,
                                            const std::string& name) {
  const InstanceMachine* instance = host.Find(instance_id);
  if (instance == nullptr) return Error{Code::kNotFound, "instance \"" + instance_id + "\" is not on this node"};
  const std::string& wanted = name.empty() ? instance->spec().serving_container() : name;
  for (const v1::ContainerReport& container : instance->report().containers()) {
    if (container.name() != wanted) continue;
    if (!container.running()) {
      return Error{Code::kFailedPrecondition, "container \"" + wanted + "\" of \"" + instance_id + "\" does not run"};
    }
    return container.container_id();
  }
  return Error{Code::kNotFound, "instance \"" + instance_id + "\" has no container \"" + wanted + "\""};
}

}  // namespace updraft::node_agent
