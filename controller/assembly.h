// The controller's parts, made and joined in one place. They are made once the stores are read,
// since what is stored decides how some of them begin.
//
//   stores ─▶ ReconcileLoop ◀─▶ RevisionReports, RoutingServer ◀─▶ FleetLoop ─▶ NodeServer,
//   DecisionServer
//      ▲──── ApiServer                                                └──────▶ PodMirror, Metrics
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <random>

#include "controller/api_server/api_server.h"
#include "controller/config.h"
#include "controller/feeds/autoscaler_config_source.h"
#include "controller/feeds/config_source.h"
#include "controller/feeds/decision_server.h"
#include "controller/feeds/known_activators.h"
#include "controller/feeds/mapping_source.h"
#include "controller/feeds/route_source.h"
#include "controller/feeds/routing_server.h"
#include "controller/instances/fleet_on_loop.h"
#include "controller/instances/revision_reports.h"
#include "controller/instances/revision_source.h"
#include "controller/metrics.h"
#include "controller/nodes/claim_directories.h"
#include "controller/nodes/image_resolution.h"
#include "controller/nodes/instance_logs.h"
#include "controller/nodes/instance_sessions.h"
#include "controller/nodes/known_nodes.h"
#include "controller/nodes/node_server.h"
#include "controller/objects/object_store.h"
#include "controller/pods/pod_mirror.h"
#include "controller/reconcile/reconcile_loop.h"
#include "core/base/loop.h"
#include "core/http/server.h"
#include "core/metrics/exposition.h"
#include "core/store/store.h"

namespace updraft::controller {

// What users see, and the stores that keep it.
struct Stores {
  Stores(std::unique_ptr<store::Store> durable_store, std::unique_ptr<store::Store> soft_store)
      : durable_kept(std::move(durable_store)),
        soft_kept(std::move(soft_store)),
        durable(*durable_kept),
        soft(*soft_kept) {}
  // kInternal: what is kept was not written by us.
  http::Task<Status> Load();

  const std::unique_ptr<store::Store> durable_kept;
  const std::unique_ptr<store::Store> soft_kept;
  ObjectStore durable;  // specs, statuses, secrets
  ObjectStore soft;     // pods, nodes, events
};

// Loop thread only.
class Parts {
 public:
  // Both must outlive it; `stores` are loaded.
  Parts(Loop& loop, Stores& stores, const Config& config);
  ~Parts();
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  // Begins to keep everything as it should be, then listens. Errors: see the addresses of the
  // config.
  http::Task<Status> Start();

  // Of several controllers: tells nobody anything unless it leads (FleetLoop).
  void ActOnlyWhile(std::function<bool()> leads) { fleet_loop_.ActOnlyWhile(std::move(leads)); }

  // Takes no more, lets requests end for a moment, then calls `done`.
  void Drain(std::function<void()> done);

 private:
  ReconcileSurroundings Surroundings();
  ApiServerOptions ApiOptions();
  ControllerFigures Figures() const;
  void Record(const InstanceEvent& event, const Json& pod);
  http::Task<Status> KeepGatewayServices();
  void PruneEvents();
  void OnConfig(const api::ServingConfig& maps);
  void OnConfigErrors(const std::map<std::string, std::string>& errors);
  Status Listen();

  Loop& loop_;
  Stores& stores_;
  const Config config_;
  const ServingConfig serving_;  // by the flags alone
  std::mt19937_64 random_;
  std::map<std::string, std::string> config_errors_;
  bool serving_started_ = false;
  Loop::TimerId prune_timer_ = 0;
  const std::shared_ptr<const int> life_ = std::make_shared<int>(0);

  KnownNodes known_nodes_;
  Fleet fleet_;
  FleetOnLoop fleet_loop_;
  NodeServer nodes_;
  ClaimDirectories claims_;
  KnownActivators known_activators_;
  RoutingServer routing_;
  DecisionServer decisions_;
  RevisionReports reports_;
  AgentImageResolver images_;
  InstanceLogs logs_;
  InstanceSessions sessions_;
  ReconcileLoop reconcile_;
  RevisionSource revisions_;
  RouteSource routes_;
  AutoscalerConfigSource autoscaler_config_;
  MappingSource mappings_;
  ConfigSource config_maps_;
  PodMirror mirror_;
  metrics::Exposition exposition_;
  Metrics metrics_;
  ApiServer api_;
  http::Server api_http_;
  http::Server metrics_http_;
  std::unique_ptr<grpc::Server> grpc_server_;
};

}  // namespace updraft::controller
