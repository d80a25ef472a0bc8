#include "node-agent/spec/capabilities.h"

#include <algorithm>

namespace updraft::node_agent {
namespace {

constexpr std::string_view kKnown[] = {
    "CAP_CHOWN",           "CAP_DAC_OVERRIDE",     "CAP_DAC_READ_SEARCH", "CAP_FOWNER",           "CAP_FSETID",
    "CAP_KILL",            "CAP_SETGID",           "CAP_SETUID",          "CAP_SETPCAP",          "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",   "CAP_NET_ADMIN",       "CAP_NET_RAW",          "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",       "CAP_SYS_MODULE",       "CAP_SYS_RAWIO",       "CAP_SYS_CHROOT",       "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",       "CAP_SYS_ADMIN",        "CAP_SYS_BOOT",        "CAP_SYS_NICE",         "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",        "CAP_SYS_TTY_CONFIG",   "CAP_MKNOD",           "CAP_LEASE",            "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",   "CAP_SETFCAP",          "CAP_MAC_OVERRIDE",    "CAP_MAC_ADMIN",        "CAP_SYSLOG",
    "CAP_WAKE_ALARM",      "CAP_BLOCK_SUSPEND",    "CAP_AUDIT_READ",      "CAP_PERFMON",          "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

constexpr std::string_view kDefault[] = {
    "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FSETID",  "CAP_FOWNER",  "CAP_MKNOD",
    "CAP_NET_RAW", "CAP_SETGID",      "CAP_SETUID",  "CAP_SETFCAP", "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
};

bool IsAll(const std::string& name) { return name == "ALL" || name == "CAP_ALL"; }

Result<std::string> FullName(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (!name.starts_with("CAP_")) name = "CAP_" + name;
  if (std::ranges::find(kKnown, name) == std::end(kKnown)) {
    return Error{Code::kInvalidArgument, "unknown capability \"" + name + "\""};
  }
  return name;
}

}  // namespace

std::span<const std::string_view> KnownCapabilities() { return kKnown; }

std::vector<std::string> CapabilitiesOf(uint64_t mask) {
  std::vector<std::string> names;
  for (size_t bit = 0; bit < std::size(kKnown); ++bit) {
    if ((mask >> bit) & 1) names.emplace_back(kKnown[bit]);
  }
  return names;
}

Result<std::vector<std::string>> GrantedCapabilities(const CapabilityRequest& request,
                                                     std::span<const std::string> available) {
  std::vector<std::string> granted(std::begin(kDefault), std::end(kDefault));
  if (std::ranges::any_of(request.add, IsAll)) granted.assign(available.begin(), available.end());
  if (std::ranges::any_of(request.drop, IsAll)) granted.clear();
  for (const std::string& name : request.add) {
    if (IsAll(name)) continue;
    Result<std::string> full = FullName(name);
    if (!full) return full.error();
    if (std::ranges::find(granted, *full) == granted.end()) granted.push_back(*full);
  }
  for (const std::string& name : request.drop) {
    if (IsAll(name)) continue;
    Result<std::string> full = FullName(name);
    if (!full) return full.error();
    std::erase(granted, *full);
  }
  return granted;
}

}  // namespace updraft::node_agent
