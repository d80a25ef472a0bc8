#include "controller/nodes/node_server.h"

#include "core/api/names.h"
#include "core/base/log.h"

namespace updraft::controller {

void NodeServer::OnFleetChanges(const Fleet&, const FleetChanges& changes, Moment) {
  for (const NodeOrder& order : changes.orders) Tell(order.node, order.message);
}

std::shared_ptr<AgentClient> NodeServer::Agent(const NodeName& node) const {
  const auto it = agents_.find(node);
  return it == agents_.end() ? nullptr : it->second;
}

std::shared_ptr<AgentClient> NodeServer::AnyAgent() const {
  const auto& newest = speakers_.newest();
  return newest.empty() ? nullptr : Agent(newest.begin()->first);
}

void NodeServer::Tell(const NodeName& node, const v1::ControllerMessage& message) {
  const auto it = streams_.find(speakers_.StreamOf(node));
  if (it != streams_.end()) it->second->Send(message);
}

void NodeServer::TellAll(const v1::ControllerMessage& message) {
  for (const auto& [node, stream] : speakers_.newest()) Tell(node, message);
}

void NodeServer::OnOpened(Stream stream) {
  const uint64_t id = stream->id();
  speakers_.Open(id);
  streams_[id] = std::move(stream);
}

void NodeServer::OnMessage(const Stream& stream, v1::NodeMessage message) {
  const uint64_t id = stream->id();
  if (message.has_hello()) {
    Hello(stream, message.hello());
    return;
  }
  const NodeName& node = speakers_.NodeOf(id);
  if (node.empty()) {
    stream->End({grpc::StatusCode::FAILED_PRECONDITION, "the first message is to be NodeHello"});
    return;
  }
  fleet_loop_.Change(
      [&node, &message, id](Fleet& fleet, Moment at) { Hear(fleet, node, id, message, at); });
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
  if (const auto older = speakers_.Hello(stream->id(), node)) {
    streams_.at(*older)->End(
        {grpc::StatusCode::ABORTED, "a newer stream of this node has taken over"});
  }
  std::shared_ptr<AgentClient>& agent = agents_[node];
  if (!agent || agent->address() != hello.agent_address()) {
    agent = std::make_shared<AgentClient>(loop_, hello.agent_address());
  }
  if (on_hello_) on_hello_(hello);
  fleet_loop_.Change(
      [&stream, &hello](Fleet& fleet, Moment at) { fleet.OnNodeHello(stream->id(), hello, at); });
}

void NodeServer::OnEnded(const Stream& stream) {
  streams_.erase(stream->id());
  const std::optional<NodeName> node = speakers_.End(stream->id());
  if (!node) return;
  Log(Level::kWarn, "node_disconnected", {{"node", *node}});
  fleet_loop_.Change(
      [&node, &stream](Fleet& fleet, Moment at) { fleet.OnNodeGone(*node, stream->id(), at); });
}

}  // namespace updraft::controller
