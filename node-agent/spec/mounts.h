// What a container sees of the machine: its mounts, and the parts of /proc and /sys that are hidden. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

// Where a volume's content is on this machine: a directory that is bind-mounted, or nothing but memory.
struct VolumeSource {
  std::string directory = {};          // empty: a tmpfs of the container's own
  int64_t size_limit_bytes = 0;   // of a tmpfs; 0: half of the memory, the kernel's default
  bool read_only = false;         // secrets, config, read-only claims: whatever the mount says
};

struct MountSources {
  std::string hosts_file = {};
  std::string hostname_file = {};
  std::string resolv_conf = {};
  std::string termination_file = {};   // bind-mounted where termination_message_path says; empty: none
  std::map<std::string, VolumeSource> volumes = {};
};

// `mounts` of an OCI runtime spec. A mount of an unknown volume, or one that leaves its volume by "..",
// is kInvalidArgument.
Result<nlohmann::json> Mounts(const v1::Container& container, const MountSources& sources);

std::span<const std::string_view> MaskedPaths();
std::span<const std::string_view> ReadOnlyPaths();

}  // namespace updraft::node_agent
