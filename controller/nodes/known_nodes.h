// Which machines are part of the platform, and which of them are cordoned: the little about nodes
// that a restarted controller has to know before they have said anything. Kept in the durable
// store; users change it through the Nodes in the soft one (kubectl cordon, kubectl delete node).
#pragma once

#include <set>
#include <string>

#include "controller/instances/fleet_loop.h"
#include "controller/objects/object_store.h"
#include "controller/objects/record_keeper.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

// Loop thread only.
class KnownNodes {
 public:
  // Both are loaded and must outlive it.
  KnownNodes(ObjectStore& durable, ObjectStore& soft, RecordKeeper::Later later);
  ~KnownNodes();
  KnownNodes(const KnownNodes&) = delete;
  KnownNodes& operator=(const KnownNodes&) = delete;

  std::set<NodeName> Names() const;

  // Tells the fleet who is cordoned, then follows what users do to Nodes. Once. `fleet_loop` must
  // outlive this.
  void Start(FleetLoop& fleet_loop);

  // A node has joined; it is remembered.
  void OnHello(const v1::NodeHello& hello);

 private:
  void OnChange(const Change& change);

  RecordKeeper records_;
  ObjectStore& soft_;
  FleetLoop* fleet_loop_ = nullptr;
  ObjectStore::WatchId watch_ = 0;
};

}  // namespace updraft::controller
