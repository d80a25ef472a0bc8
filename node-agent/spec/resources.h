// A container's limits as cgroups and rlimits. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include "node-agent/spec/host_facts.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

inline constexpr int64_t kPidsLimitDefault = 4096;

// `linux.resources` of an OCI runtime spec.
nlohmann::json CgroupResources(const v1::Resources& resources, const HostFacts& host);

// `process.rlimits`. The runtimes run below us and may raise nothing: never above our own hard limit.
nlohmann::json Rlimits(const HostFacts& host);

// Who is killed first when the machine runs out of memory, as the kubelet has it: containers that asked for
// nothing, then those that asked for little. Never below what this process may set.
int32_t OomScoreAdjust(const v1::Resources& resources, const HostFacts& host);

}  // namespace updraft::node_agent
