#include "node-agent/network/namespace_builder.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "core/base/log.h"
#include "node-agent/network/netns.h"

namespace updraft::node_agent {
namespace {

constexpr char kInsideName[] = "eth0";
constexpr char kLinkPrefix[] = "ud";
constexpr int kLoopbackIndex = 1;

// The errors of a batch that must all succeed.
Status AllGood(const std::string& doing, const Result<std::vector<int>>& answers) {
  if (!answers) return Context(doing, answers.error());
  for (const int error : *answers) {
    if (error != 0) return ErrnoError(doing, error);
  }
  return Ok();
}

std::optional<Ipv4> AddressOfLink(const std::string& name) {
  const size_t prefix = sizeof(kLinkPrefix) - 1;
  Ipv4 address;
  if (!name.starts_with(kLinkPrefix) || name.size() != prefix + 8) return std::nullopt;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + prefix, end, address.value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return address;
}

}  // namespace

uint32_t LinkGroupOf(int bridge_index) {
  return 0x75640000U | (static_cast<uint32_t>(bridge_index) & 0xffffU);  // "ud" and the bridge
}

NamespaceBuilder::NamespaceBuilder(NetlinkSocket socket, BridgeFacts bridge, NamespaceFolder folder)
    : socket_(std::move(socket)), bridge_(std::move(bridge)), folder_(std::move(folder)) {}

std::string NamespaceBuilder::LinkName(Ipv4 address) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%s%08x", kLinkPrefix, address.value);
  return text.data();
}

Status NamespaceBuilder::Build(Ipv4 address) {
  auto made = MakeNamespace(folder_.PathOf(address));
  if (!made) return made.error();
  Status built = Connect(address, made->fd.get());
  if (built) built = ConfigureInside(made->socket, address);
  if (!built) Remove({address});
  return built;
}

Status NamespaceBuilder::Connect(Ipv4 address, int namespace_fd) {
  const std::string doing = "connect " + ToString(address) + " to " + bridge_.name;
  const MacAddress mac = MacFor(address);
  const std::string name = LinkName(address);
  const VethOrder order{.name = name,
                        .peer_name = kInsideName,
                        .peer_namespace = namespace_fd,
                        .bridge_index = bridge_.index,
                        .mtu = bridge_.mtu,
                        .peer_mac = mac};
  Status created = socket_.Do(doing, CreateVeth(order));
  if (!created && created.error().code == Code::kAlreadyExists) {
    // Left by an agent that died while it made or removed this one.
    const auto stale = FindLink(socket_, name);
    if (stale && stale->has_value()) {
      created = socket_.Do(doing, DeleteLink((*stale)->index));
      if (created) created = socket_.Do(doing, CreateVeth(order));
    }
  }
  if (!created) return created;
  const auto link = FindLink(socket_, name);
  if (!link) return link.error();
  if (!link->has_value()) return Error{Code::kInternal, doing + ": the link is not there"};
  std::vector<NetlinkMessage> rest;
  rest.push_back(TuneBridgePort((*link)->index));
  rest.push_back(AddForwarding((*link)->index, mac));
  rest.push_back(AddNeighbour(bridge_.index, address, mac));
  return AllGood(doing, socket_.DoAll(std::move(rest)));
}

Status NamespaceBuilder::ConfigureInside(NetlinkSocket& inside, Ipv4 address) const {
  const std::string doing = "set up the network of " + ToString(address);
  const auto link = FindLink(inside, kInsideName);
  if (!link) return link.error();
  if (!link->has_value()) return Error{Code::kInternal, doing + ": the link is not there"};
  const int index = (*link)->index;
  const Ipv4 gateway = bridge_.subnet.Gateway();
  std::vector<NetlinkMessage> messages;
  messages.push_back(SetUp(kLoopbackIndex));
  messages.push_back(AddAddress(index, address, bridge_.subnet));
  messages.push_back(SetUp(index));
  messages.push_back(AddDefaultRoute(index, gateway));
  messages.push_back(AddNeighbour(index, gateway, MacFor(gateway)));
  return AllGood(doing, inside.DoAll(std::move(messages)));
}

std::vector<Ipv4> NamespaceBuilder::Remove(const std::vector<Ipv4>& addresses) {
  std::vector<int> links;
  std::vector<NetlinkMessage> neighbours;
  for (const Ipv4 address : addresses) {
    const auto link = FindLink(socket_, LinkName(address));
    if (link && link->has_value()) links.push_back((*link)->index);
    neighbours.push_back(DeleteNeighbour(bridge_.index, address));
  }
  const Status deleted = DeleteLinks(socket_, links, LinkGroupOf(bridge_.index));
  // Those that are not there any more are no loss.
  const auto forgotten = socket_.DoAll(std::move(neighbours));
  if (!deleted || !forgotten) {
    const Error& error = deleted ? forgotten.error() : deleted.error();
    Log(Level::kWarn, "networks_not_removed", {{"error", error.message}});
    return {};
  }
  std::vector<Ipv4> gone;
  for (const Ipv4 address : addresses) {
    const Status removed = RemoveNamespace(folder_.PathOf(address));
    if (removed) {
      gone.push_back(address);
    } else {
      Log(Level::kWarn, "namespace_not_removed", {{"error", removed.error().message}});
    }
  }
  return gone;
}

Result<std::vector<Ipv4>> NamespaceBuilder::Connected() {
  const auto links = ListLinks(socket_);
  if (!links) return links.error();
  std::vector<Ipv4> addresses;
  for (const LinkState& link : *links) {
    if (link.bridge_index != bridge_.index) continue;
    if (const auto address = AddressOfLink(link.name)) addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace updraft::node_agent
