// Instances as core/v1 Pods and machines as Nodes, in the form that kubectl reads. Pure.
#pragma once

#include "controller/instances/instance.h"
#include "controller/instances/instance_name.h"
#include "controller/nodes/node_table.h"
#include "core/api/json.h"
#include "core/base/clock.h"

namespace updraft::controller {

struct PodSources {
  const Json* revision = nullptr;  // the Revision object; null: it is gone
  const Json* previous = nullptr;  // the Pod as it was shown before; null: it is new
  const Node* node = nullptr;      // null: no node yet
};

// The Pod of an instance. The same instance gives the same uid, whichever controller builds it.
Json BuildPod(const Instance& instance, const PodSources& sources, WallTime now);

// The Node of a machine. What users may change of it (labels, annotations, spec) is taken over from
// `previous`, the Node as it is shown now, null for a new one.
Json BuildNode(const Node& node, const Json* previous, WallTime now);

}  // namespace updraft::controller
