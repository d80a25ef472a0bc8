// RoutingService: keeps every activator's picture of routes, revisions and endpoints up to date,
// and knows which routes they have taken over.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "controller/feeds/routing_sessions.h"
#include "controller/instances/fleet_loop.h"
#include "controller/reconcile/observed.h"
#include "core/base/loop.h"
#include "core/rpc/peer_stream.h"
#include "updraft/v1/routing.grpc.pb.h"

namespace updraft::controller {

// Loop thread only, apart from Watch(). Must outlive the gRPC server that it is registered with.
class RoutingServer : public v1::RoutingService::CallbackService,
                      public FleetFollower,
                      public RouteObserver,
                      public RouteTaker,
                      private rpc::PeerObserver<v1::ActivatorMessage, v1::RoutingUpdate>,
                      private Deferred {
 public:
  using OnProgrammed = std::function<void(const std::string& key)>;

  // `on_programmed` is told of each route that all activators have taken over. `memory`, if there is one,
  // and the lineages that it remembers: as RoutingSessions has them.
  RoutingServer(Loop& loop, FleetLoop& fleet_loop, OnProgrammed on_programmed, ActivatorMemory* memory = nullptr,
                const std::set<std::string>& known = {});
  ~RoutingServer() override;

  // Those that wait for it can be told what there is.
  void OnRemembered(const std::string& lineage);

  // Told to the activators at the end of the turn.
  void SetRoute(const v1::Route& route, const std::string& fingerprint) override;
  void RemoveRoute(const std::string& key) override;
  void AssumeProgrammed(const std::string& key) override { sessions_.AssumeProgrammed(key); }

  // From ConfigMap config-observability.
  void SetRequestLog(const v1::RequestLog& request_log);

  bool Programmed(std::string_view ns, std::string_view name,
                  std::string_view fingerprint) const override {
    return sessions_.Programmed(ns, name, fingerprint);
  }
  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) override;

  // That have said hello.
  size_t activator_count() const { return sessions_.activator_count(); }

 private:
  using Stream = rpc::PeerObserver<v1::ActivatorMessage, v1::RoutingUpdate>::Stream;

  grpc::ServerBidiReactor<v1::ActivatorMessage, v1::RoutingUpdate>* Watch(
      grpc::CallbackServerContext*) override {
    return rpc::PeerStream<v1::ActivatorMessage, v1::RoutingUpdate>::Accept(loop_, *this);
  }

  void OnOpened(Stream stream) override;
  void OnMessage(const Stream& stream, v1::ActivatorMessage message) override;
  void OnFlushed(const Stream& stream) override;
  void OnEnded(const Stream& stream) override;
  void OnHello(const Stream& stream, const v1::ActivatorHello& hello);
  void Run() override { PushAll(); }

  void Push(const Stream& stream);
  void PushAll();
  void TellProgrammed();
  void SetTimer();

  Loop& loop_;
  FleetLoop& fleet_loop_;
  const OnProgrammed on_programmed_;
  RoutingSessions sessions_;
  std::map<uint64_t, Stream> streams_;
  Loop::TimerId timer_ = 0;
  std::optional<TimePoint> timer_at_;
};

}  // namespace updraft::controller
