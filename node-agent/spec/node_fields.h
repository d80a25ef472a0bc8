// What a container is told of where it runs (Kubernetes' fieldRef to spec.nodeName, status.hostIP and
// status.podIP), put where the controller left a mark. Pure.
#pragma once

#include <string>

#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

struct NodeFields {
  std::string node_name = {};
  std::string host_ip = {};
  std::string pod_ip = {};
};

// In its variables, command and arguments.
v1::Container WithNodeFields(v1::Container container, const NodeFields& fields);

}  // namespace updraft::node_agent
