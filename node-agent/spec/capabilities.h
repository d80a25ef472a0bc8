// Linux capabilities by name, and which of them a container gets. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace updraft::node_agent {

// All that this kernel generation knows, in the kernel's order.
std::span<const std::string_view> KnownCapabilities();

// The names of the bits of a mask as /proc/PID/status prints it.
std::vector<std::string> CapabilitiesOf(uint64_t mask);

struct CapabilityRequest {
  std::vector<std::string> add;   // "NET_ADMIN", "CAP_NET_ADMIN" or "ALL"
  std::vector<std::string> drop;
};

// containerd's default set, minus drops, plus adds, in Kubernetes' order: first ALL, then what is named.
// `available` is what ALL stands for. An unknown name is kInvalidArgument.
Result<std::vector<std::string>> GrantedCapabilities(const CapabilityRequest& request,
                                                     std::span<const std::string> available);

}  // namespace updraft::node_agent
