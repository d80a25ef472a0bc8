// containerd's default seccomp policy for a set of capabilities, as OCI JSON and as the kernel's BPF. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "node-agent/spec/host_facts.h"

namespace updraft::node_agent {

struct SeccompArgument {
  uint32_t index = 0;
  uint64_t value = 0;
  uint64_t value_two = 0;   // with `masked`: (argument & value) == value_two
  bool masked = false;      // else: argument == value
};

struct SeccompRule {
  std::vector<std::string_view> syscalls = {};
  std::optional<uint16_t> error_number = std::nullopt;  // unset: allowed
  std::vector<SeccompArgument> arguments = {};          // all must hold
};

// What no rule names fails with EPERM.
struct SeccompPolicy {
  std::vector<std::string_view> architectures = {};  // "SCMP_ARCH_X86_64", the native one first
  std::vector<SeccompRule> rules = {};
};

SeccompPolicy DefaultSeccompPolicy(std::span<const std::string> capabilities, Architecture architecture);

// The `linux.seccomp` object of an OCI runtime spec.
nlohmann::json SeccompJson(const SeccompPolicy& policy);

// The same policy compiled for the kernel, with a binary search over the numbers: an array of sock_filter.
// Takes milliseconds: do it once for each set of capabilities. System calls that libseccomp does not know
// are left out, as the runtimes do.
Result<std::string> CompileSeccomp(const SeccompPolicy& policy);

}  // namespace updraft::node_agent
