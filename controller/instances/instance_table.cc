#include "controller/instances/instance_table.h"

#include "controller/instances/revision_spec.h"
#include "core/base/check.h"

namespace updraft::controller {

Instance& InstanceTable::Add(Instance instance) {
  const InstanceId id = instance.id;
  const auto [it, added] = instances_.emplace(id, std::move(instance));
  UPDRAFT_CHECK(added);
  by_revision_[it->second.revision].emplace(id, &it->second);
  if (!it->second.node.empty()) Use(it->second, 1);
  return it->second;
}

void InstanceTable::Erase(const InstanceId& id) {
  const auto it = instances_.find(id);
  if (it == instances_.end()) return;
  if (!it->second.node.empty()) Use(it->second, -1);
  const auto of_revision = by_revision_.find(it->second.revision);
  of_revision->second.erase(id);
  if (of_revision->second.empty()) by_revision_.erase(of_revision);
  instances_.erase(it);
}

void InstanceTable::Assign(Instance& instance, const NodeName& node) {
  UPDRAFT_CHECK(instance.node.empty());
  instance.node = node;
  Use(instance, 1);
}

void InstanceTable::Release(Instance& instance) {
  if (instance.node.empty()) return;
  Use(instance, -1);
  instance.node.clear();
}

Instance* InstanceTable::Find(const InstanceId& id) {
  const auto it = instances_.find(id);
  return it == instances_.end() ? nullptr : &it->second;
}

const Instance* InstanceTable::Find(const InstanceId& id) const {
  const auto it = instances_.find(id);
  return it == instances_.end() ? nullptr : &it->second;
}

std::vector<Instance*> InstanceTable::OfRevision(const RevisionKey& key) {
  std::vector<Instance*> found;
  const auto it = by_revision_.find(key);
  if (it == by_revision_.end()) return found;
  found.reserve(it->second.size());
  for (const auto& [id, instance] : it->second) found.push_back(instance);
  return found;
}

std::vector<const Instance*> InstanceTable::OfRevision(const RevisionKey& key) const {
  std::vector<const Instance*> found;
  const auto it = by_revision_.find(key);
  if (it == by_revision_.end()) return found;
  found.reserve(it->second.size());
  for (const auto& [id, instance] : it->second) found.push_back(instance);
  return found;
}

size_t InstanceTable::CountOfRevision(const RevisionKey& key) const {
  const auto it = by_revision_.find(key);
  return it == by_revision_.end() ? 0 : it->second.size();
}

void InstanceTable::Use(const Instance& instance, int sign) {
  const auto it = nodes_.find(instance.node);
  UPDRAFT_CHECK(it != nodes_.end());
  Node& node = it->second;
  const ResourceRequests requests = instance.spec ? RequestsOf(*instance.spec) : ResourceRequests{};
  node.cpu_used_millis += sign * requests.cpu_millis;
  node.memory_used_bytes += sign * requests.memory_bytes;
  if (sign > 0) {
    node.instances.insert(instance.id);
  } else {
    node.instances.erase(instance.id);
  }
}

}  // namespace updraft::controller
