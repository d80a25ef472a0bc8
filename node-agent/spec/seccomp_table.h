// Which system calls containerd's default seccomp policy lets through. Pure data; see seccomp.h for the policy.
#pragma once

#include <span>
#include <string_view>

#include "node-agent/spec/host_facts.h"

namespace updraft::node_agent {

struct CapabilitySyscalls {
  std::string_view capability;  // "CAP_SYS_ADMIN"
  std::span<const std::string_view> syscalls;
};

std::span<const std::string_view> SyscallsAllowedAlways();
std::span<const std::string_view> SyscallsAllowedOn(Architecture architecture);
std::span<const CapabilitySyscalls> SyscallsAllowedByCapability();

}  // namespace updraft::node_agent
