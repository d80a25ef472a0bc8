#include "controller/nodes/node_server.h"

#include "core/api/names.h"
#include "core/base/log.h"

namespace updraft::controller {

void NodeServer::OnFleetChanges(const Fleet&, const FleetChanges& changes, Moment) {
  for (const NodeOrder& order : changes.orders) {
    const auto it = streams_.find(order.node);
    if (it != streams_.end()) it->second->Send(order.message);
  }
}

std::shared_ptr<AgentClient> NodeServer::Agent(const NodeName& node) const {
  const auto it = agents_.find(node);
  return it == agents_.end() ? nullptr : it->second;
}

std::shared_ptr<AgentClient> NodeServer::AnyAgent() const {
  return streams_.empty() ? nullptr : Agent(streams_.begin()->first);
}

void NodeServer::OnOpened(Stream stream) { speakers_[stream->id()]; }

void NodeServer::OnMessage(const Stream& stream, v1::NodeMessage message) {
  const uint64_t id = stream->id();
  if (message.has_hello()) {
    Hello(stream, message.hello());
    return;
  }
  const NodeName& node = speakers_[id];
  if (node.empty()) {
    stream->End({grpc::StatusCode::FAILED_PRECONDITION, "the first message is to be NodeHello"});
    return;
  }
  fleet_loop_.Change([&node, &message, id](Fleet& fleet, Moment at) {
    switch (message.message_case()) {
      case v1::NodeMessage::kInventory:
        fleet.OnInventory(node, id, message.inventory(), at);
        break;
      case v1::NodeMessage::kInstance:
        fleet.OnReport(node, id, message.instance(), at);
        break;
      case v1::NodeMessage::kStatus:
        fleet.OnNodeStatus(node, id, message.status(), at);
        break;
      default:
        break;
    }
  });
}

void NodeServer::Hello(const Stream& stream, const v1::NodeHello& hello) {
  if (!api::CheckDns1123Subdomain(hello.node()).empty()) {
    stream->End(
        {grpc::StatusCode::INVALID_ARGUMENT, "\"" + hello.node() + "\" is no name for a node"});
    return;
  }
  const NodeName& node = hello.node();
  Log(Level::kInfo, "node_connected",
      {{"node", node},
       {"version", hello.version()},
       {"runtime", hello.runtime()},
       {"agent", hello.agent_address()}});
  speakers_[stream->id()] = node;
  // A stream that the agent gave up may not have ended here yet; nothing more is heard from it.
  if (const auto it = streams_.find(node); it != streams_.end() && it->second != stream) {
    it->second->End({grpc::StatusCode::ABORTED, "a newer stream of this node has taken over"});
  }
  streams_[node] = stream;
  std::shared_ptr<AgentClient>& agent = agents_[node];
  if (!agent || agent->address() != hello.agent_address()) {
    agent = std::make_shared<AgentClient>(loop_, hello.agent_address());
  }
  if (on_hello_) on_hello_(hello);
  fleet_loop_.Change(
      [&stream, &hello](Fleet& fleet, Moment at) { fleet.OnNodeHello(stream->id(), hello, at); });
}

void NodeServer::OnEnded(const Stream& stream) {
  const NodeName node = speakers_[stream->id()];
  speakers_.erase(stream->id());
  const auto it = streams_.find(node);
  if (it == streams_.end() || it->second != stream) return;
  Log(Level::kWarn, "node_disconnected", {{"node", node}});
  streams_.erase(it);
  fleet_loop_.Change(
      [&node, &stream](Fleet& fleet, Moment at) { fleet.OnNodeGone(node, stream->id(), at); });
}

}  // namespace updraft::controller
