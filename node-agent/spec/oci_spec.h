// The OCI runtime spec of one container of an instance: Knative's runtime contract as JSON. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/spec/host_facts.h"
#include "node-agent/spec/mounts.h"
#include "node-agent/spec/process.h"
#include "node-agent/spec/user.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

struct OciSpecInput {
  const v1::InstanceSpec* instance = nullptr;
  const v1::Container* container = nullptr;
  ImageConfig image = {};
  ResolvedUser user = {};
  std::vector<std::string> capabilities = {};  // granted, see capabilities.h
  std::string container_id = {};
  std::string cgroup_parent = {};              // "/updraft"
  std::string network_namespace = {};          // path
  MountSources mounts = {};
  std::string seccomp_bpf = {};                // compiled, see seccomp.h; empty: the runtime compiles the policy
  std::string shim_group = {};                 // containers with the same one share a shim; empty: one of its own
};

// What is wrong with the input is kInvalidArgument. REQUIRES: instance and container.
Result<nlohmann::json> OciSpec(const OciSpecInput& input, const HostFacts& host);

}  // namespace updraft::node_agent
