// Links, addresses, routes and neighbours through rtnetlink: what a bridge and its instances need.
//
// Functions that return a NetlinkMessage only describe a change; NetlinkSocket::DoAll() makes many
// at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/network/ipv4.h"
#include "node-agent/network/netlink.h"

namespace updraft::node_agent {

struct LinkState {
  int index = 0;
  std::string name;
  int bridge_index = 0;  // of the bridge that it is a port of; 0: of none
  uint32_t mtu = 0;
  bool up = false;
};

// nullopt: no such link.
Result<std::optional<LinkState>> FindLink(NetlinkSocket& socket, const std::string& name);
Result<std::vector<LinkState>> ListLinks(NetlinkSocket& socket);

// The MTU of the way out: of the link of the default route, else 1500.
uint32_t UplinkMtu(NetlinkSocket& socket);

// The bridge with just this address, up. No error if it is so already; a bridge with another
// address gets this one instead. kAlreadyExists if the name belongs to a link that is no bridge.
struct BridgeOrder {
  std::string name;
  Subnet subnet;
  uint32_t mtu = 1500;
};
Result<LinkState> EnsureBridge(NetlinkSocket& socket, const BridgeOrder& order);

struct VethOrder {
  std::string name;         // on this side, a port of the bridge
  std::string peer_name;    // in the namespace
  int peer_namespace = -1;  // descriptor
  int bridge_index = 0;
  uint32_t mtu = 1500;
  MacAddress peer_mac = {};
};
NetlinkMessage CreateVeth(const VethOrder& order);

// A port whose instance may reach itself by its own address, that learns no addresses from what an
// instance sends, and that gets no packet meant for others.
NetlinkMessage TuneBridgePort(int index);

// Where the bridge finds `mac`, so that it need not ask all ports.
NetlinkMessage AddForwarding(int port_index, const MacAddress& mac);

// Whom `address` belongs to, so that nobody has to ask by ARP.
NetlinkMessage AddNeighbour(int index, Ipv4 address, const MacAddress& mac);
NetlinkMessage DeleteNeighbour(int index, Ipv4 address);

NetlinkMessage SetUp(int index);
NetlinkMessage AddAddress(int index, Ipv4 address, const Subnet& subnet);
NetlinkMessage DeleteAddress(int index, Ipv4 address, int prefix_bits);
NetlinkMessage AddDefaultRoute(int index, Ipv4 gateway);
NetlinkMessage DeleteLink(int index);

// Deletes all of them with one grace period of the kernel instead of one each (20 ms). What is gone
// already is no error. `group` must be used for nothing else on this machine.
Status DeleteLinks(NetlinkSocket& socket, const std::vector<int>& indexes, uint32_t group);

}  // namespace updraft::node_agent
