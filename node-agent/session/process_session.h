// The processes that a command has started, found by the session that they are in.
#pragma once

#include <sys/types.h>

#include <string>

namespace updraft::node_agent {

// The session that a process just executed leads or was put into; 0: it is gone, or in that of its parent.
pid_t OwnSession(pid_t pid);

// Kills the processes of a session that are in a cgroup whose path has `cgroup` in it, and what they start meanwhile.
// Without effect on others: numbers are used again. Takes some milliseconds on a machine with a thousand processes.
void KillSession(pid_t session, const std::string& cgroup);

}  // namespace updraft::node_agent
