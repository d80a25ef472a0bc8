// Removes all that a node's network is made of. Works without an agent, by what is there.
#pragma once

#include <string>

#include "core/base/result.h"

namespace updraft::node_agent {

struct TeardownOrder {
  std::string bridge;
  std::string run;  // as NetworkPool::Options has it
};

// Namespaces, links, bridge, NAT, and ip_forward as it was. No error if nothing is there. Does all
// it can, and returns the first error. REQUIRES: no agent runs, and no instance of this bridge.
// Blocks.
Status TearDownNetwork(const TeardownOrder& order);

}  // namespace updraft::node_agent
