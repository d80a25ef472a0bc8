// Whether the kernel has killed something in a container for want of memory, read from its cgroup.
#pragma once

#include <string>

#include "node-agent/spec/host_facts.h"

namespace updraft::node_agent {

struct CgroupRoot {
  std::string path = "/sys/fs/cgroup";
  CgroupLayout layout = CgroupLayout::kUnified;
};

// `cgroup`: "/updraft/hello-1.0-0". False also when the cgroup is gone.
bool HadOutOfMemoryKill(const CgroupRoot& root, const std::string& cgroup);

// The number after `key` in lines of "key number"; 0 without one. Pure.
int64_t CounterIn(const std::string& text, const std::string& key);

}  // namespace updraft::node_agent
