// What a container uses of its machine, read from its cgroup.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "node-agent/instance/out_of_memory.h"

namespace updraft::node_agent {

struct CgroupUsage {
  int64_t cpu_ns = 0;        // since the cgroup was made
  int64_t memory_bytes = 0;  // without the files that the kernel may drop, as Kubernetes counts a working set
};

// nullopt: the cgroup is gone. Two or three small files are read.
std::optional<CgroupUsage> ReadCgroupUsage(const CgroupRoot& root, const std::string& cgroup);

}  // namespace updraft::node_agent
