#include "node-agent/network/links.h"

#include <arpa/inet.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace updraft::node_agent {
namespace {

constexpr uint32_t kMtuDefault = 1500;

template <typename T>
T ValueOf(const rtattr* attribute) {
  T value{};
  if (attribute != nullptr && RTA_PAYLOAD(attribute) >= sizeof(value)) {
    std::memcpy(&value, RTA_DATA(attribute), sizeof(value));
  }
  return value;
}

ifinfomsg LinkOf(int index) {
  ifinfomsg link{};
  link.ifi_index = index;
  return link;
}

LinkState ParseLink(const nlmsghdr& header) {
  const auto* info = static_cast<const ifinfomsg*>(NLMSG_DATA(&header));
  const auto attributes = AttributesOf(header, sizeof(*info), IFLA_MAX);
  LinkState link;
  link.index = info->ifi_index;
  link.up = (info->ifi_flags & IFF_UP) != 0;
  if (attributes[IFLA_IFNAME] != nullptr) {
    link.name = static_cast<const char*>(RTA_DATA(attributes[IFLA_IFNAME]));
  }
  link.bridge_index = ValueOf<int>(attributes[IFLA_MASTER]);
  link.mtu = ValueOf<uint32_t>(attributes[IFLA_MTU]);
  return link;
}

NetlinkMessage BridgeMessage(const BridgeOrder& order, uint16_t flags) {
  ifinfomsg link{};
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  NetlinkMessage message(RTM_NEWLINK, flags);
  // A MAC of its own: else the bridge takes its ports' lowest, which comes and goes with them.
  message.Fixed(link).Text(IFLA_IFNAME, order.name);
  message.Value(IFLA_ADDRESS, MacFor(order.subnet.Gateway())).Value(IFLA_MTU, order.mtu);
  message.Begin(IFLA_LINKINFO).Text(IFLA_INFO_KIND, "bridge").Begin(IFLA_INFO_DATA);
  // Ports forward at once, and nobody here speaks IGMP.
  message.Value(IFLA_BR_FORWARD_DELAY, uint32_t{0}).Value(IFLA_BR_STP_STATE, uint32_t{0});
  message.Value(IFLA_BR_MCAST_SNOOPING, uint8_t{0});
  message.End().End();
  return message;
}

struct OwnAddress {
  Ipv4 address;
  int prefix_bits = 0;
};

Result<std::vector<OwnAddress>> AddressesOf(NetlinkSocket& socket, int index) {
  std::vector<OwnAddress> addresses;
  ifaddrmsg all{};
  all.ifa_family = AF_INET;
  NetlinkMessage message(RTM_GETADDR, NLM_F_DUMP);
  message.Fixed(all);
  const Status asked =
      socket.Ask("list addresses", std::move(message), [&](const nlmsghdr& header) {
        const auto* info = static_cast<const ifaddrmsg*>(NLMSG_DATA(&header));
        if (info->ifa_index != static_cast<uint32_t>(index)) return;
        const auto attributes = AttributesOf(header, sizeof(*info), IFA_MAX);
        const auto wire = ValueOf<uint32_t>(attributes[IFA_LOCAL]);
        addresses.push_back({.address = {ntohl(wire)}, .prefix_bits = info->ifa_prefixlen});
      });
  if (!asked) return asked.error();
  return addresses;
}

NetlinkMessage NeighbourMessage(uint16_t type, uint16_t flags, int index, Ipv4 address) {
  ndmsg neighbour{};
  neighbour.ndm_family = AF_INET;
  neighbour.ndm_ifindex = index;
  neighbour.ndm_state = NUD_PERMANENT;
  NetlinkMessage message(type, flags);
  message.Fixed(neighbour).Value(NDA_DST, WireOrder(address));
  return message;
}

NetlinkMessage AddressMessage(uint16_t type, uint16_t flags, int index, Ipv4 address,
                              int prefix_bits) {
  ifaddrmsg info{};
  info.ifa_family = AF_INET;
  info.ifa_prefixlen = static_cast<uint8_t>(prefix_bits);
  info.ifa_index = static_cast<uint32_t>(index);
  NetlinkMessage message(type, flags);
  message.Fixed(info).Value(IFA_LOCAL, WireOrder(address)).Value(IFA_ADDRESS, WireOrder(address));
  return message;
}

}  // namespace

Result<std::optional<LinkState>> FindLink(NetlinkSocket& socket, const std::string& name) {
  NetlinkMessage message(RTM_GETLINK, 0);
  message.Fixed(LinkOf(0)).Text(IFLA_IFNAME, name);
  std::optional<LinkState> link;
  const Status asked = socket.Ask("look for link " + name, std::move(message),
                                  [&link](const nlmsghdr& header) { link = ParseLink(header); });
  if (!asked && asked.error().code != Code::kNotFound) return asked.error();
  return link;
}

Result<std::vector<LinkState>> ListLinks(NetlinkSocket& socket) {
  std::vector<LinkState> links;
  NetlinkMessage message(RTM_GETLINK, NLM_F_DUMP);
  message.Fixed(LinkOf(0));
  const Status asked = socket.Ask("list links", std::move(message), [&](const nlmsghdr& header) {
    links.push_back(ParseLink(header));
  });
  if (!asked) return asked.error();
  return links;
}

uint32_t UplinkMtu(NetlinkSocket& socket) {
  rtmsg all{};
  all.rtm_family = AF_INET;
  NetlinkMessage message(RTM_GETROUTE, NLM_F_DUMP);
  message.Fixed(all);
  std::optional<uint32_t> best_metric;
  int uplink = 0;
  const Status asked = socket.Ask("list routes", std::move(message), [&](const nlmsghdr& header) {
    const auto* route = static_cast<const rtmsg*>(NLMSG_DATA(&header));
    if (route->rtm_dst_len != 0 || route->rtm_table != RT_TABLE_MAIN) return;
    const auto attributes = AttributesOf(header, sizeof(*route), RTA_MAX);
    const auto metric = ValueOf<uint32_t>(attributes[RTA_PRIORITY]);
    if (best_metric.has_value() && metric >= *best_metric) return;
    best_metric = metric;
    uplink = ValueOf<int>(attributes[RTA_OIF]);
  });
  const auto links = ListLinks(socket);
  if (!asked || !links) return kMtuDefault;
  for (const LinkState& link : *links) {
    if (link.index == uplink && link.mtu > 0) return link.mtu;
  }
  return kMtuDefault;
}

Result<LinkState> EnsureBridge(NetlinkSocket& socket, const BridgeOrder& order) {
  const std::string doing = "make bridge " + order.name;
  Status made = socket.Do(doing, BridgeMessage(order, NLM_F_CREATE | NLM_F_EXCL));
  if (!made && made.error().code == Code::kAlreadyExists) {
    // The kernel refuses if the name belongs to a link of another kind.
    made = socket.Do(doing, BridgeMessage(order, 0));
    if (!made) return Error{Code::kAlreadyExists, made.error().message + " (it is no bridge)"};
  }
  if (!made) return made.error();
  const auto link = FindLink(socket, order.name);
  if (!link) return link.error();
  if (!link->has_value()) return Error{Code::kInternal, doing + ": it is not there"};
  const int index = (*link)->index;

  const auto addresses = AddressesOf(socket, index);
  if (!addresses) return addresses.error();
  bool present = false;
  for (const OwnAddress& own : *addresses) {
    if (own.address == order.subnet.Gateway() && own.prefix_bits == order.subnet.prefix_bits) {
      present = true;
      continue;
    }
    const Status dropped = socket.Do("drop an address of " + order.name,
                                     DeleteAddress(index, own.address, own.prefix_bits));
    if (!dropped) return dropped.error();
  }
  if (!present) {
    const Status added = socket.Do("give " + order.name + " its address",
                                   AddAddress(index, order.subnet.Gateway(), order.subnet));
    if (!added) return added.error();
  }
  return **link;
}

NetlinkMessage CreateVeth(const VethOrder& order) {
  ifinfomsg link{};
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.Fixed(link).Text(IFLA_IFNAME, order.name);
  message.Value(IFLA_MTU, order.mtu).Value(IFLA_MASTER, order.bridge_index);
  message.Begin(IFLA_LINKINFO).Text(IFLA_INFO_KIND, "veth").Begin(IFLA_INFO_DATA);
  message.Begin(VETH_INFO_PEER).Fixed(LinkOf(0)).Text(IFLA_IFNAME, order.peer_name);
  message.Value(IFLA_MTU, order.mtu).Value(IFLA_ADDRESS, order.peer_mac);
  message.Value(IFLA_NET_NS_FD, order.peer_namespace);
  message.End().End().End();
  return message;
}

NetlinkMessage TuneBridgePort(int index) {
  NetlinkMessage message(RTM_NEWLINK, 0);
  message.Fixed(LinkOf(index)).Begin(IFLA_LINKINFO).Text(IFLA_INFO_SLAVE_KIND, "bridge");
  message.Begin(IFLA_INFO_SLAVE_DATA);
  message.Value(IFLA_BRPORT_MODE, uint8_t{1}).Value(IFLA_BRPORT_LEARNING, uint8_t{0});
  message.Value(IFLA_BRPORT_UNICAST_FLOOD, uint8_t{0});
  message.End().End();
  return message;
}

NetlinkMessage AddForwarding(int port_index, const MacAddress& mac) {
  ndmsg entry{};
  entry.ndm_family = PF_BRIDGE;
  entry.ndm_ifindex = port_index;
  entry.ndm_state = NUD_NOARP;  // static: never ages
  entry.ndm_flags = NTF_MASTER;
  NetlinkMessage message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
  message.Fixed(entry).Value(NDA_LLADDR, mac);
  return message;
}

NetlinkMessage AddNeighbour(int index, Ipv4 address, const MacAddress& mac) {
  NetlinkMessage message =
      NeighbourMessage(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, index, address);
  message.Value(NDA_LLADDR, mac);
  return message;
}

NetlinkMessage DeleteNeighbour(int index, Ipv4 address) {
  return NeighbourMessage(RTM_DELNEIGH, 0, index, address);
}

NetlinkMessage SetUp(int index) {
  ifinfomsg link = LinkOf(index);
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  NetlinkMessage message(RTM_NEWLINK, 0);
  message.Fixed(link);
  return message;
}

NetlinkMessage AddAddress(int index, Ipv4 address, const Subnet& subnet) {
  NetlinkMessage message =
      AddressMessage(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address, subnet.prefix_bits);
  message.Value(IFA_BROADCAST, WireOrder(subnet.Broadcast()));
  return message;
}

NetlinkMessage DeleteAddress(int index, Ipv4 address, int prefix_bits) {
  return AddressMessage(RTM_DELADDR, 0, index, address, prefix_bits);
}

NetlinkMessage AddDefaultRoute(int index, Ipv4 gateway) {
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = RT_SCOPE_UNIVERSE;
  route.rtm_type = RTN_UNICAST;
  NetlinkMessage message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  message.Fixed(route).Value(RTA_GATEWAY, WireOrder(gateway)).Value(RTA_OIF, index);
  return message;
}

NetlinkMessage DeleteLink(int index) {
  NetlinkMessage message(RTM_DELLINK, 0);
  message.Fixed(LinkOf(index));
  return message;
}

Status DeleteLinks(NetlinkSocket& socket, const std::vector<int>& indexes, uint32_t group) {
  if (indexes.empty()) return Ok();
  std::vector<NetlinkMessage> messages;
  for (const int index : indexes) {
    messages.emplace_back(RTM_NEWLINK, uint16_t{0});
    messages.back().Fixed(LinkOf(index)).Value(IFLA_GROUP, group);
  }
  const auto grouped = socket.DoAll(std::move(messages));
  if (!grouped) return grouped.error();
  NetlinkMessage message(RTM_DELLINK, 0);
  message.Fixed(LinkOf(0)).Value(IFLA_GROUP, group);
  const Status deleted = socket.Do("delete links", std::move(message));
  // Nobody in the group: all were gone.
  if (!deleted && deleted.error().code != Code::kNotFound) return deleted;
  return Ok();
}

}  // namespace updraft::node_agent
