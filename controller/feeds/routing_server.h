// RoutingService: keeps every activator's picture of routes, revisions and endpoints up to date,
// and knows which routes they have taken over.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/rpc/peer_stream.h"
#include "controller/feeds/route_confirmations.h"
#include "controller/feeds/routing_feed.h"
#include "controller/instances/fleet_loop.h"
#include "controller/reconcile/observed.h"
#include "core/base/loop.h"
#include "updraft/v1/routing.grpc.pb.h"

namespace updraft::controller {

// Loop thread only, apart from Watch(). Must outlive the gRPC server that it is registered with.
class RoutingServer : public v1::RoutingService::CallbackService,
                      public FleetFollower,
                      public RouteObserver,
                      private rpc::PeerObserver<v1::ActivatorMessage, v1::RoutingUpdate>,
                      private Deferred {
 public:
  using OnProgrammed = std::function<void(const std::string& key)>;

  // `on_programmed` is told of each route that all activators have taken over.
  RoutingServer(Loop& loop, FleetLoop& fleet_loop, OnProgrammed on_programmed)
      : loop_(loop), fleet_loop_(fleet_loop), on_programmed_(std::move(on_programmed)) {}

  // Told to the activators at the end of the turn.
  void SetRoute(const v1::Route& route, const std::string& fingerprint);
  void RemoveRoute(const std::string& key);
  // Takes a route that was set for programmed: its status says so, from before this process.
  void AssumeProgrammed(const std::string& key) { confirmations_.Assume(key); }

  bool Programmed(std::string_view ns, std::string_view name,
                  std::string_view fingerprint) const override;
  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) override;

  // That have said hello.
  size_t activator_count() const;

 private:
  using Stream = rpc::PeerObserver<v1::ActivatorMessage, v1::RoutingUpdate>::Stream;
  struct Sent {
    int64_t sequence = 0;
    int64_t version = 0;  // of the routes
  };
  struct Activator {
    Stream stream;
    ActivatorId id;     // empty: has not said hello
    bool acks = false;  // answers updates with RoutingApplied
    int64_t sequence = 0;
    std::deque<Sent> unconfirmed;
  };

  grpc::ServerBidiReactor<v1::ActivatorMessage, v1::RoutingUpdate>* Watch(
      grpc::CallbackServerContext*) override {
    return rpc::PeerStream<v1::ActivatorMessage, v1::RoutingUpdate>::Accept(loop_, *this);
  }

  void OnOpened(Stream stream) override;
  void OnMessage(const Stream& stream, v1::ActivatorMessage message) override;
  void OnFlushed(const Stream& stream) override;
  void OnEnded(const Stream& stream) override;
  void OnHello(Activator& activator, const v1::ActivatorHello& hello);
  void OnApplied(Activator& activator, int64_t sequence);
  void Run() override { PushAll(); }

  void Push(Activator& activator);
  void PushAll();
  void TellProgrammed();

  Loop& loop_;
  FleetLoop& fleet_loop_;
  const OnProgrammed on_programmed_;
  RoutingFeed feed_;
  RouteConfirmations confirmations_;
  std::map<uint64_t, Activator> activators_;  // by stream
};

}  // namespace updraft::controller
