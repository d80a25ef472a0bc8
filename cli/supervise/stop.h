// Stops what runs of a platform, found by its pid files: in the supervisor on SIGTERM, or in `down` when no
// supervisor is left.
#pragma once

#include <sys/types.h>

#include <string>

#include "cli/platform/config.h"

namespace updraft::cli {

// The pid file of a process that another has followed and that finishes what it has.
std::string LeavingPidFile(const PlatformPaths& paths, const std::string& program, pid_t pid);

// Stops the programs in reverse order of starting, with the instances before the node-agent. Each gets
// SIGTERM and, when it has not ended in time, SIGKILL. Blocks until all have ended. REQUIRES: nobody
// restarts them meanwhile.
void StopPrograms(const PlatformConfig& config);

// Ends what the programs have left: containers and shims that did not stop. Then removes cgroups,
// namespaces, bridge, mounts and the run folder. What could not be removed is in the error.
Status RemoveTraces(const PlatformConfig& config);

}  // namespace updraft::cli
