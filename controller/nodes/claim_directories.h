// Tells the nodes which PersistentVolumeClaims there are: the directories of others are no longer
// needed by anyone.
#pragma once

#include "controller/nodes/node_server.h"
#include "controller/objects/object_store.h"

namespace updraft::controller {

// Loop thread only.
class ClaimDirectories {
 public:
  // Both must outlive it. `objects` is loaded.
  ClaimDirectories(ObjectStore& objects, NodeServer& nodes) : objects_(objects), nodes_(nodes) {}
  ~ClaimDirectories() { objects_.Unwatch(watch_); }
  ClaimDirectories(const ClaimDirectories&) = delete;
  ClaimDirectories& operator=(const ClaimDirectories&) = delete;

  // From now on nodes hear of each claim that goes. Once.
  void Start();

  // A node has joined: it hears of all that there are, before anything else.
  void OnHello(const NodeName& node);

 private:
  ObjectStore& objects_;
  NodeServer& nodes_;
  ObjectStore::WatchId watch_ = 0;
};

}  // namespace updraft::controller
