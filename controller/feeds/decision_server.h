// DecisionService: tells the autoscaler what there is to decide, and the fleet what it decided.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/rpc/peer_stream.h"
#include "controller/feeds/target_feed.h"
#include "controller/instances/fleet_loop.h"
#include "core/base/loop.h"
#include "updraft/v1/scaling.grpc.pb.h"

namespace updraft::controller {

// Loop thread only, apart from Sync(). Must outlive the gRPC server that it is registered with.
class DecisionServer : public v1::DecisionService::CallbackService,
                       public FleetFollower,
                       private rpc::PeerObserver<v1::AutoscalerMessage, v1::ScaleTargets> {
 public:
  // config-autoscaler keys that the autoscaler cannot use, with the reason.
  using OnConfigErrors = std::function<void(const std::map<std::string, std::string>&)>;

  DecisionServer(Loop& loop, FleetLoop& fleet_loop, OnConfigErrors on_config_errors)
      : loop_(loop), fleet_loop_(fleet_loop), on_config_errors_(std::move(on_config_errors)) {}

  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) override;

  // The data of ConfigMap config-autoscaler, whenever it changes.
  void SetConfig(v1::AutoscalerConfig config);

  bool connected() const { return !streams_.empty(); }

 private:
  using Stream = rpc::PeerObserver<v1::AutoscalerMessage, v1::ScaleTargets>::Stream;

  grpc::ServerBidiReactor<v1::AutoscalerMessage, v1::ScaleTargets>* Sync(
      grpc::CallbackServerContext*) override {
    return rpc::PeerStream<v1::AutoscalerMessage, v1::ScaleTargets>::Accept(loop_, *this);
  }

  void OnOpened(Stream stream) override;
  void OnMessage(const Stream& stream, v1::AutoscalerMessage message) override;
  void OnFlushed(const Stream& stream) override { Push(stream); }
  void OnEnded(const Stream& stream) override;
  void Push(const Stream& stream);

  Loop& loop_;
  FleetLoop& fleet_loop_;
  const OnConfigErrors on_config_errors_;
  TargetFeed feed_;
  std::map<uint64_t, Stream> streams_;
};

}  // namespace updraft::controller
