// NodeService: the streams of the node-agents. What they say goes to the fleet, what the fleet
// orders goes to them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/rpc/peer_stream.h"
#include "controller/instances/fleet_loop.h"
#include "controller/nodes/agent_client.h"
#include "controller/nodes/node_streams.h"
#include "core/base/loop.h"
#include "updraft/v1/node.grpc.pb.h"

namespace updraft::controller {

// Loop thread only, apart from Connect(). Must outlive the gRPC server that it is registered with.
class NodeServer : public v1::NodeService::CallbackService,
                   public FleetFollower,
                   private rpc::PeerObserver<v1::NodeMessage, v1::ControllerMessage> {
 public:
  using OnHello = std::function<void(const v1::NodeHello&)>;

  NodeServer(Loop& loop, FleetLoop& fleet_loop, OnHello on_hello)
      : loop_(loop), fleet_loop_(fleet_loop), on_hello_(std::move(on_hello)) {}

  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) override;

  // The agent of a node, or nullptr when it has never said hello to this process. A shared holder
  // may outlive the node.
  std::shared_ptr<AgentClient> Agent(const NodeName& node) const;
  // The agent of any node whose stream is open, nullptr when there is none.
  std::shared_ptr<AgentClient> AnyAgent() const;

  // What the fleet knows nothing of. No effect for a node that is away: it hears it with its next
  // hello.
  void Tell(const NodeName& node, const v1::ControllerMessage& message);
  void TellAll(const v1::ControllerMessage& message);

 private:
  using Stream = rpc::PeerObserver<v1::NodeMessage, v1::ControllerMessage>::Stream;

  grpc::ServerBidiReactor<v1::NodeMessage, v1::ControllerMessage>* Connect(
      grpc::CallbackServerContext*) override {
    return rpc::PeerStream<v1::NodeMessage, v1::ControllerMessage>::Accept(loop_, *this);
  }

  void OnOpened(Stream stream) override;
  void OnMessage(const Stream& stream, v1::NodeMessage message) override;
  void OnFlushed(const Stream&) override {}
  void OnEnded(const Stream& stream) override;
  void Hello(const Stream& stream, const v1::NodeHello& hello);

  Loop& loop_;
  FleetLoop& fleet_loop_;
  const OnHello on_hello_;
  NodeStreams speakers_;
  std::map<uint64_t, Stream> streams_;
  std::map<NodeName, std::shared_ptr<AgentClient>> agents_;
};

}  // namespace updraft::controller
