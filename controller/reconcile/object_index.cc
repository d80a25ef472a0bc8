#include "controller/reconcile/object_index.h"

#include <utility>

#include "controller/reconcile/children.h"
#include "controller/reconcile/domain_mapping.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/revision_name.h"
#include "controller/reconcile/traffic.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

std::string InNamespace(std::string_view ns, std::string_view name) {
  return std::string(ns) + "/" + std::string(name);
}

std::string TargetValue(const ObjectKey& target) {
  return target.resource + " " + InNamespace(target.ns, target.name);
}

std::set<std::string> Targets(const ObjectKey& key, const Json& route) {
  std::set<std::string> targets;
  for (const char* part : {"spec", "status"}) {
    for (const TrafficTarget& target : ReadTraffic(api::ArrayAt(route, {part, "traffic"}))) {
      if (!target.revision.empty())
        targets.insert(TargetValue({resource::kRevisions, key.ns, target.revision}));
      if (!target.configuration.empty()) {
        targets.insert(TargetValue({resource::kConfigurations, key.ns, target.configuration}));
      }
    }
  }
  return targets;
}

std::set<std::string> Marks(const ObjectKey& key, const Json& object) {
  std::set<std::string> marks;
  for (const std::string& route : SplitList(api::AnnotationOf(object, annotation::kRoutes))) {
    marks.insert(InNamespace(key.ns, route));
  }
  return marks;
}

std::set<std::string> WantedName(const ObjectKey& key, const Json& object) {
  const std::string name = NamedRevision(object);
  if (name.empty()) return {};
  return {InNamespace(key.ns, name)};
}

// What a DomainMapping is about; its own name has no namespace.
std::set<std::string> Mapped(const ObjectKey& key, const Json& mapping) {
  std::set<std::string> mapped = {TargetValue({key.resource, "", key.name})};
  if (const auto route = ReferredRoute(mapping)) mapped.insert(TargetValue(*route));
  if (const auto secret = ReferredSecret(mapping)) mapped.insert(TargetValue(*secret));
  return mapped;
}

}  // namespace

void MultiIndex::Set(const ObjectKey& key, std::set<std::string> values) {
  const auto old = values_.find(key);
  if (old != values_.end()) {
    if (old->second == values) return;
    for (const std::string& value : old->second) {
      const auto keys = keys_.find(value);
      keys->second.erase(key);
      if (keys->second.empty()) keys_.erase(keys);
    }
    values_.erase(old);
  }
  if (values.empty()) return;
  for (const std::string& value : values) keys_[value].insert(key);
  values_.emplace(key, std::move(values));
}

const std::set<ObjectKey>& MultiIndex::Find(const std::string& value) const {
  static const std::set<ObjectKey> none;
  const auto it = keys_.find(value);
  return it == keys_.end() ? none : it->second;
}

void ObjectIndex::Update(const Change& change) {
  const ObjectKey& key = change.key;
  const bool gone = change.type == Change::Type::kDeleted;
  const Json& object = *change.object;
  if (change.previous) {
    const std::string old_uid = api::UidOf(*change.previous);
    if (gone || old_uid != api::UidOf(object)) keys_by_uid_.erase(old_uid);
  }
  if (!gone) keys_by_uid_[api::UidOf(object)] = key;

  std::set<std::string> owners;
  if (!gone) {
    for (api::OwnerReference& owner : api::OwnersOf(object)) owners.insert(std::move(owner.uid));
  }
  by_owner_.Set(key, std::move(owners));
  const bool route = key.resource == resource::kRoutes;
  const bool service = key.resource == resource::kServices;
  const bool configuration = key.resource == resource::kConfigurations;
  const bool revision = key.resource == resource::kRevisions;
  if (route) by_target_.Set(key, gone ? std::set<std::string>() : Targets(key, object));
  if (key.resource == resource::kDomainMappings)
    by_mapped_.Set(key, gone ? std::set<std::string>() : Mapped(key, object));
  if (configuration || revision)
    by_mark_.Set(key, gone ? std::set<std::string>() : Marks(key, object));
  if (service || configuration)
    by_wanted_name_.Set(key, gone ? std::set<std::string>() : WantedName(key, object));
}

const ObjectKey* ObjectIndex::Find(const std::string& uid) const {
  const auto it = keys_by_uid_.find(uid);
  return it == keys_by_uid_.end() ? nullptr : &it->second;
}

const std::set<ObjectKey>& ObjectIndex::RoutesTo(const ObjectKey& target) const {
  return by_target_.Find(TargetValue(target));
}

const std::set<ObjectKey>& ObjectIndex::MarkedWith(std::string_view ns,
                                                   std::string_view route) const {
  return by_mark_.Find(InNamespace(ns, route));
}

const std::set<ObjectKey>& ObjectIndex::MappingsTo(const ObjectKey& target) const {
  return by_mapped_.Find(TargetValue(target));
}

const std::set<ObjectKey>& ObjectIndex::MappingsCalled(std::string_view name) const {
  return by_mapped_.Find(TargetValue({resource::kDomainMappings, "", std::string(name)}));
}

const std::set<ObjectKey>& ObjectIndex::WantingName(std::string_view ns,
                                                    std::string_view revision) const {
  return by_wanted_name_.Find(InNamespace(ns, revision));
}

}  // namespace updraft::controller
