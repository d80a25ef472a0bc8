// Network namespaces that live without a process: pinned by a file.
#pragma once

#include <functional>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "node-agent/network/netlink.h"

namespace updraft::node_agent {

// A namespace just made, and what is needed to fill it from outside.
struct NewNamespace {
  UniqueFd fd;
  NetlinkSocket socket;  // inside
};

// Makes a namespace and pins it at `path`, which must not exist. Blocks for a short-lived thread,
// the only one that ever enters it. Needs CAP_SYS_ADMIN. On error nothing is left.
Result<NewNamespace> MakeNamespace(const std::string& path);

// Lets go of it; it ends with the last process inside. No error if nothing is there.
Status RemoveNamespace(const std::string& path);

// Whether a namespace is pinned at `path`, as this thread's mount namespace sees it.
bool IsNamespace(const std::string& path);

// Runs `body` in the namespace, on a thread of its own, and waits. For tests and rare uses.
Status RunInNamespace(const std::string& path, const std::function<void()>& body);

}  // namespace updraft::node_agent
