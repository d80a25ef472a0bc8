// What a container's spec depends on beside the instance: facts about this machine that do not change
// while the agent runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace updraft::node_agent {

enum class Architecture { kAmd64, kArm64 };

enum class CgroupLayout {
  kV1,       // controllers on v1 hierarchies only
  kHybrid,   // as v1, plus an empty v2 hierarchy at /sys/fs/cgroup/unified
  kUnified,  // v2
};

struct HostFacts {
  Architecture architecture = Architecture::kAmd64;
  CgroupLayout cgroups = CgroupLayout::kUnified;
  bool swap_limit = false;             // the memory controller can limit swap
  uint64_t open_files_max = 1024;      // our own hard limit: without CAP_SYS_RESOURCE nobody below us can have more
  int32_t oom_score_adjust = 0;        // our own: the lowest that a container may get without CAP_SYS_RESOURCE
  std::vector<std::string> capabilities = {};  // our bounding set: what "ALL" can mean here
  int64_t memory_bytes = 0;
  int64_t cpus = 1;
};

// Reads /proc and /sys of this machine. `cgroup_root` is where cgroups are mounted.
HostFacts ReadHostFacts(const std::string& cgroup_root = "/sys/fs/cgroup");

}  // namespace updraft::node_agent
