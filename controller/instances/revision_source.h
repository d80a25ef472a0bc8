// Keeps the fleet's revisions equal to those in the store, with what they name: a Secret or
// ConfigMap that changes is in the instances that are started after it, as is a
// PersistentVolumeClaim.
#pragma once

#include <string>
#include <vector>

#include "controller/instances/fleet_loop.h"
#include "controller/objects/object_store.h"
#include "controller/objects/references.h"

namespace updraft::controller {

// Loop thread only.
class RevisionSource {
 public:
  // Both must outlive it. `objects` is loaded.
  RevisionSource(ObjectStore& objects, FleetLoop& fleet_loop)
      : objects_(objects), fleet_loop_(fleet_loop) {}
  ~RevisionSource();
  RevisionSource(const RevisionSource&) = delete;
  RevisionSource& operator=(const RevisionSource&) = delete;

  // Tells the fleet of every revision there is, and from now on of every change. Once.
  void Start();

  // config-deployment's progress-deadline, for revisions that have none of their own.
  void SetProgressDeadline(Nanos deadline);

 private:
  void Follow(const char* resource, ObjectStore::OnChange on_change);
  void OnRevision(const Change& change);
  void OnNamed(const ObjectKey& key);
  void Set(const Json& revision);
  void SetAll();
  // The cluster's default is an autoscaler that follows what instances use.
  bool UsageWantedByDefault() const;
  // Notes what is looked for, there or not.
  NamedObjects NamedIn(const std::string& ns, std::set<ObjectKey>& looked_for) const;

  ObjectStore& objects_;
  FleetLoop& fleet_loop_;
  References references_;  // of revisions, to what their instances are given
  Nanos progress_deadline_ = Seconds(600);
  std::vector<ObjectStore::WatchId> watches_;
};

}  // namespace updraft::controller
