// Which machines are part of the platform, and which of them are cordoned: the little about nodes
// that a restarted controller has to know before they have said anything. Kept in the durable
// store; users change it through the Nodes in the soft one (kubectl cordon, kubectl delete node).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "controller/instances/fleet_loop.h"
#include "controller/objects/object_store.h"
#include "core/http/task.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

// Loop thread only.
class KnownNodes {
 public:
  // Calls back after that time.
  using Later = std::function<void(Nanos, std::function<void()>)>;

  // Both are loaded and must outlive it.
  KnownNodes(ObjectStore& durable, ObjectStore& soft, Later later)
      : durable_(durable), soft_(soft), later_(std::move(later)) {}
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
  // What is to be remembered of a node, until it is written; tried again until it can be.
  struct Wish {
    std::optional<Scheduling> scheduling = std::nullopt;  // nullopt: nothing, it is forgotten
    bool under_way = false;
    int failures = 0;  // in a row
  };
  void Remember(const NodeName& name, std::optional<Scheduling> scheduling);
  void TryAgain(const NodeName& name, const Error& error);
  http::Task<void> WriteWish(NodeName name);
  http::Task<Status> Write(NodeName name, std::optional<Scheduling> scheduling);

  ObjectStore& durable_;
  ObjectStore& soft_;
  const Later later_;
  std::map<NodeName, Wish> wishes_;
  const std::shared_ptr<const int> life_ = std::make_shared<int>(0);
  FleetLoop* fleet_loop_ = nullptr;
  ObjectStore::WatchId watch_ = 0;
  http::Scope scope_;
};

}  // namespace updraft::controller
