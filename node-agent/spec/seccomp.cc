#include "node-agent/spec/seccomp.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>

#include "node-agent/spec/seccomp_table.h"

namespace updraft::node_agent {
namespace {

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

constexpr uint64_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                    CLONE_NEWNET | CLONE_NEWCGROUP;
// PER_LINUX, PER_LINUX32, UNAME26, both, and "tell me".
constexpr uint64_t kPersonalities[] = {0x0, 0x8, 0x20000, 0x20008, 0xffffffff};

SeccompRule Allow(std::span<const std::string_view> syscalls) {
  return {.syscalls = {syscalls.begin(), syscalls.end()}};
}

}  // namespace

SeccompPolicy DefaultSeccompPolicy(std::span<const std::string> capabilities, Architecture architecture) {
  SeccompPolicy policy;
  if (architecture == Architecture::kArm64) {
    policy.architectures = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
  } else {
    policy.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  }
  policy.rules.push_back(Allow(SyscallsAllowedAlways()));
  for (const uint64_t personality : kPersonalities) {
    policy.rules.push_back({.syscalls = {"personality"}, .arguments = {{.index = 0, .value = personality}}});
  }
  policy.rules.push_back(Allow(SyscallsAllowedOn(architecture)));
  for (const CapabilitySyscalls& row : SyscallsAllowedByCapability()) {
    if (std::ranges::find(capabilities, row.capability) != capabilities.end()) {
      policy.rules.push_back(Allow(row.syscalls));
    }
  }
  if (std::ranges::find(capabilities, "CAP_SYS_ADMIN") == capabilities.end()) {
    policy.rules.push_back(
        {.syscalls = {"clone"},
         .arguments = {{.index = 0, .value = kNewNamespaces, .value_two = 0, .masked = true}}});
    // Its flags are in memory, where a filter cannot look; libraries that hear ENOSYS fall back to clone.
    policy.rules.push_back({.syscalls = {"clone3"}, .error_number = ENOSYS});
  }
  return policy;
}

nlohmann::json SeccompJson(const SeccompPolicy& policy) {
  nlohmann::json syscalls = nlohmann::json::array();
  for (const SeccompRule& rule : policy.rules) {
    nlohmann::json entry = {{"names", rule.syscalls},
                            {"action", rule.error_number ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW"}};
    if (rule.error_number) entry["errnoRet"] = *rule.error_number;
    for (const SeccompArgument& argument : rule.arguments) {
      nlohmann::json json = {{"index", argument.index},
                             {"value", argument.value},
                             {"op", argument.masked ? "SCMP_CMP_MASKED_EQ" : "SCMP_CMP_EQ"}};
      if (argument.masked) json["valueTwo"] = argument.value_two;
      entry["args"].push_back(std::move(json));
    }
    syscalls.push_back(std::move(entry));
  }
  return {{"defaultAction", "SCMP_ACT_ERRNO"}, {"architectures", policy.architectures}, {"syscalls", syscalls}};
}

}  // namespace updraft::node_agent
