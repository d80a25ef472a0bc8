// Cgroups of a name, in whatever hierarchies the host has mounted.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace updraft::cli {

// The folders of cgroup `name` ("/updraft") below /sys/fs/cgroup: one per v1 hierarchy, or one on v2.
std::vector<std::string> CgroupFolders(const std::string& name);

// All processes in the cgroup and below it.
std::vector<pid_t> CgroupProcesses(const std::string& name);

// Removes the cgroup and those below it, where no process is left in them. True when none is left over.
bool RemoveCgroups(const std::string& name);

}  // namespace updraft::cli
