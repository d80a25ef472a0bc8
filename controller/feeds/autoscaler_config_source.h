// Tells the autoscaler what ConfigMap config-autoscaler in namespace knative-serving says, and what
// becomes of it.
#pragma once

#include "controller/feeds/decision_server.h"
#include "controller/objects/object_store.h"

namespace updraft::controller {

// Loop thread only.
class AutoscalerConfigSource {
 public:
  // Both must outlive it. `objects` is loaded.
  AutoscalerConfigSource(ObjectStore& objects, DecisionServer& decisions)
      : objects_(objects), decisions_(decisions) {}
  ~AutoscalerConfigSource();
  AutoscalerConfigSource(const AutoscalerConfigSource&) = delete;
  AutoscalerConfigSource& operator=(const AutoscalerConfigSource&) = delete;

  // Once. From now on every change is told.
  void Start();

 private:
  void Tell();

  ObjectStore& objects_;
  DecisionServer& decisions_;
  std::optional<ObjectStore::WatchId> watch_;
};

}  // namespace updraft::controller
