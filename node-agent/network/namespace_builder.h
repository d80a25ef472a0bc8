// Makes and removes the networks of instances: namespace, veth pair, address, routes.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/network/ipv4.h"
#include "node-agent/network/links.h"
#include "node-agent/network/namespace_folder.h"
#include "node-agent/network/netlink.h"

namespace updraft::node_agent {

struct BridgeFacts {
  std::string name;
  int index = 0;
  Subnet subnet;
  uint32_t mtu = 1500;
};

// One thread at a time. All calls block.
class NamespaceBuilder {
 public:
  NamespaceBuilder(NetlinkSocket socket, BridgeFacts bridge, NamespaceFolder folder);

  const BridgeFacts& bridge() const { return bridge_; }

  // About 3 ms. On error nothing is left.
  Status Build(Ipv4 address);

  // About 25 ms for any number of them. What is not there is no error. Returns those that are gone;
  // the others can be tried again.
  std::vector<Ipv4> Remove(const std::vector<Ipv4>& addresses);

  // Addresses whose links hang at the bridge, whether or not a namespace is pinned.
  Result<std::vector<Ipv4>> Connected();

  // The name of an address's link on the machine's side.
  static std::string LinkName(Ipv4 address);

 private:
  Status Connect(Ipv4 address, int namespace_fd);
  Status ConfigureInside(NetlinkSocket& inside, Ipv4 address) const;

  NetlinkSocket socket_;
  const BridgeFacts bridge_;
  const NamespaceFolder folder_;
};

// The group by which links of a bridge are deleted together.
uint32_t LinkGroupOf(int bridge_index);

}  // namespace updraft::node_agent
