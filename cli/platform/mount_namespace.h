// The mount namespace that containerd, its shims and the node-agent share.
//
// It keeps every mount of every container out of the machine's view, so that nothing can be left behind,
// and on hosts with the hybrid cgroup layout it hides the cgroup2 mount, which crun refuses to see. It is
// held by a file and so outlives containerd's restarts.
#pragma once

#include "cli/platform/config.h"

namespace updraft::cli {

// Makes the namespace unless it exists. REQUIRES: root.
Status EnsureMountNamespace(const PlatformConfig& config);

// Releases it; its mounts go with the last process inside.
void RemoveMountNamespace(const PlatformConfig& config);

}  // namespace updraft::cli
