// Lets instances reach the world: forwarding and NAT of this machine.
#pragma once

#include <string>

#include "core/base/result.h"
#include "node-agent/network/ipv4.h"

namespace updraft::node_agent {

struct EgressOrder {
  std::string bridge;
  Subnet subnet;
  std::string run;  // folder for the former value of ip_forward
};

// Sets up; again, after a restart, without a moment in between. Blocks for nft(8).
Status OpenEgress(const EgressOrder& order);

// Undoes all of it; ip_forward only if no other bridge of ours needs it. No error if nothing is
// there. Does all it can, and returns the first error.
Status CloseEgress(const std::string& bridge, const std::string& run);

}  // namespace updraft::node_agent
