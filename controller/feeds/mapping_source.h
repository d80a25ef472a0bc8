// Keeps what activators are told of domain names equal to the DomainMappings in the store, the
// Routes that they lead to and the Secrets with their certificates.
#pragma once

#include "controller/feeds/routing_sessions.h"
#include "controller/objects/object_store.h"
#include "controller/objects/references.h"
#include "controller/reconcile/serving_config.h"

namespace updraft::controller {

// Loop thread only.
class MappingSource {
 public:
  // Must outlive it. `objects` is loaded.
  MappingSource(ObjectStore& objects, RouteTaker& routing, ServingConfig config)
      : objects_(objects), routing_(routing), config_(std::move(config)) {}
  ~MappingSource();
  MappingSource(const MappingSource&) = delete;
  MappingSource& operator=(const MappingSource&) = delete;

  // As RouteSource's.
  void Start();
  void SetConfig(ServingConfig config);

 private:
  void OnChange(const Change& change);
  void Set(const Json& mapping);
  std::shared_ptr<const Json> Find(const std::optional<ObjectKey>& key) const;

  ObjectStore& objects_;
  RouteTaker& routing_;
  ServingConfig config_;
  References references_;  // of mappings, to routes and secrets
  ObjectStore::WatchId watch_ = 0;
};

}  // namespace updraft::controller
