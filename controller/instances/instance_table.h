// All instances, by id, by revision and by node, and what they ask of their nodes. Pure.
#pragma once

#include <map>
#include <vector>

#include "controller/instances/instance.h"
#include "controller/nodes/node_table.h"

namespace updraft::controller {

class InstanceTable {
 public:
  // `nodes` must outlive this; the usage of its nodes is kept here.
  explicit InstanceTable(NodeTable& nodes) : nodes_(nodes) {}

  // REQUIRES: the id is new, and the node, if set, is in the table. The reference stays valid until
  // Erase().
  Instance& Add(Instance instance);
  void Erase(const InstanceId& id);

  // Puts an instance that has none on a node; its spec says what it asks for.
  void Assign(Instance& instance, const NodeName& node);
  // It uses nothing of its node any more, but is still remembered.
  void Release(Instance& instance);

  Instance* Find(const InstanceId& id);
  const Instance* Find(const InstanceId& id) const;

  // By id. Pointers stay valid until Erase().
  std::vector<Instance*> OfRevision(const RevisionKey& key);
  std::vector<const Instance*> OfRevision(const RevisionKey& key) const;
  size_t CountOfRevision(const RevisionKey& key) const;

  const std::map<InstanceId, Instance>& all() const { return instances_; }

 private:
  void Use(const Instance& instance, int sign);

  NodeTable& nodes_;
  std::map<InstanceId, Instance> instances_;
  std::map<RevisionKey, std::map<InstanceId, Instance*>> by_revision_;
};

}  // namespace updraft::controller
