// Keeps what activators are told of routes equal to the Routes in the store.
#pragma once

#include <functional>

#include "controller/feeds/routing_sessions.h"
#include "controller/objects/object_store.h"
#include "controller/reconcile/serving_config.h"

namespace updraft::controller {

// Loop thread only.
class RouteSource {
 public:
  // Must outlive it. `objects` is loaded.
  RouteSource(ObjectStore& objects, RouteTaker& routing, ServingConfig config)
      : objects_(objects), routing_(routing), config_(std::move(config)) {}
  ~RouteSource();
  RouteSource(const RouteSource&) = delete;
  RouteSource& operator=(const RouteSource&) = delete;

  // Sets every route there is; those whose status says that activators route by it count as
  // programmed. From now on follows every change. Once.
  void Start();

  // Hosts are made anew for all routes.
  void SetConfig(ServingConfig config);

 private:
  void Set(const Json& route);

  ObjectStore& objects_;
  RouteTaker& routing_;
  ServingConfig config_;
  ObjectStore::WatchId watch_ = 0;
};

}  // namespace updraft::controller
