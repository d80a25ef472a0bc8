// Parts of volumes that containers may write to: whoever writes there could leave a link that leads out of the volume,
// in time for the next mount of it. Blocks for as long as a few system calls take.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/result.h"

namespace updraft::node_agent {

// What is to be found at a place in a container, before its program runs.
struct PinnedMount {
  std::string path;  // in the container
  dev_t device = 0;
  ino_t inode = 0;
};

// The part of the volume that is to be mounted at `path`; its directories are made where there are none, as in
// Kubernetes. kInvalidArgument: it leads out of the volume, or through a symbolic link.
Result<PinnedMount> PinSubPath(const std::string& volume, const std::string& sub_path, const std::string& path);

// Whether the root file system of a process that has been created, and not started yet, has the very things mounted.
Status CheckPinned(pid_t pid, const std::vector<PinnedMount>& pinned);

}  // namespace updraft::node_agent
