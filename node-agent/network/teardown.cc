#include "node-agent/network/teardown.h"

#include "node-agent/network/egress.h"
#include "node-agent/network/links.h"
#include "node-agent/network/namespace_builder.h"
#include "node-agent/network/namespace_folder.h"

namespace updraft::node_agent {
namespace {

Status RemoveLinks(const std::string& bridge) {
  auto socket = NetlinkSocket::Open();
  if (!socket) return socket.error();
  const auto link = FindLink(*socket, bridge);
  if (!link) return link.error();
  if (!link->has_value()) return Ok();
  const int index = (*link)->index;
  const auto links = ListLinks(*socket);
  if (!links) return links.error();
  std::vector<int> all = {index};
  for (const LinkState& port : *links) {
    if (port.bridge_index == index) all.push_back(port.index);
  }
  return DeleteLinks(*socket, all, LinkGroupOf(index));
}

}  // namespace

Status TearDownNetwork(const TeardownOrder& order) {
  Status first = Ok();
  for (Status status : {NamespaceFolder(order.run).RemoveAll(), RemoveLinks(order.bridge),
                        CloseEgress(order.bridge, order.run)}) {
    if (first && !status) first = std::move(status);
  }
  return first;
}

}  // namespace updraft::node_agent
