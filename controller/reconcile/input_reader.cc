#include "controller/reconcile/input_reader.h"

#include <utility>

#include "controller/reconcile/domains.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/revision_name.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {

std::shared_ptr<const Json> InputReader::Find(const ObjectKey& key) const {
  const std::optional<Stored> stored = objects_.Get(key);
  return stored ? stored->object : nullptr;
}

ServiceInputs InputReader::ReadService(std::shared_ptr<const Json> service) const {
  ServiceInputs in{.service = std::move(service)};
  in.configuration = Find(KeyOf(*in.service, resource::kConfigurations));
  in.route = Find(KeyOf(*in.service, resource::kRoutes));
  const std::string name = NamedRevision(*in.service);
  if (!name.empty()) in.named_revision = Find(KeyIn(*in.service, resource::kRevisions, name));
  return in;
}

ConfigurationInputs InputReader::ReadConfiguration(
    std::shared_ptr<const Json> configuration) const {
  ConfigurationInputs in{.configuration = std::move(configuration)};
  for (const ObjectKey& key : index_.DependentsOf(api::UidOf(*in.configuration))) {
    if (key.resource != resource::kRevisions) continue;
    const std::shared_ptr<const Json> revision = Find(key);
    if (revision && api::IsControlledBy(*revision, *in.configuration))
      in.revisions.push_back(revision);
  }
  in.named_revision =
      Find(KeyIn(*in.configuration, resource::kRevisions, RevisionNameOf(*in.configuration)));
  return in;
}

RouteInputs InputReader::ReadRoute(std::shared_ptr<const Json> route) const {
  const std::string ns = api::NamespaceOf(*route);
  RouteInputs in = ReadMarks(KeyOf(*route, resource::kRoutes));
  in.route = std::move(route);
  for (const char* part : {"spec", "status"}) {
    for (const TrafficTarget& target : ReadTraffic(api::ArrayAt(*in.route, {part, "traffic"}))) {
      AddConfiguration(ns, target.configuration, in);
      AddRevision(ns, target.revision, in);
    }
  }
  AddServices(*in.route, in);
  return in;
}

DomainMappingInputs InputReader::ReadDomainMapping(std::shared_ptr<const Json> mapping) const {
  DomainMappingInputs in{.mapping = std::move(mapping)};
  if (const auto route = ReferredRoute(*in.mapping)) in.route = Find(*route);
  if (const auto secret = ReferredSecret(*in.mapping)) in.secret = Find(*secret);
  const auto rank = [](const Json& object) {
    return std::pair(api::StringAt(object, {"metadata", "creationTimestamp"}), api::UidOf(object));
  };
  const std::string name = api::NameOf(*in.mapping);
  in.claim = Find(ClaimOf(name));
  for (const ObjectKey& key : index_.MappingsCalled(name)) {
    const std::shared_ptr<const Json> rival = Find(key);
    if (rival && rank(*rival) < rank(*in.mapping)) in.asked_elsewhere = true;
  }
  return in;
}

RouteInputs InputReader::ReadMarks(const ObjectKey& route) const {
  RouteInputs in;
  for (const ObjectKey& key : index_.MarkedWith(route.ns, route.name)) {
    const std::shared_ptr<const Json> object = Find(key);
    if (!object) continue;
    (key.resource == resource::kRevisions ? in.revisions : in.configurations)[key.name] = object;
  }
  return in;
}

void InputReader::AddConfiguration(const std::string& ns, const std::string& name,
                                   RouteInputs& in) const {
  if (name.empty()) return;
  const std::shared_ptr<const Json> configuration = Find({resource::kConfigurations, ns, name});
  if (!configuration) return;
  in.configurations[name] = configuration;
  for (const char* field : {"latestReadyRevisionName", "latestCreatedRevisionName"}) {
    const std::string revision = api::StringAt(*configuration, {"status", field});
    if (revision.empty()) continue;
    if (const auto found = Find({resource::kRevisions, ns, revision}))
      in.revisions[revision] = found;
  }
}

void InputReader::AddRevision(const std::string& ns, const std::string& name,
                              RouteInputs& in) const {
  if (name.empty()) return;
  const std::shared_ptr<const Json> revision = Find({resource::kRevisions, ns, name});
  if (!revision) return;
  in.revisions[name] = revision;
  const auto owner = api::ControllerOf(*revision);
  if (owner && owner->kind == "Configuration") AddConfiguration(ns, owner->name, in);
}

void InputReader::AddServices(const Json& route, RouteInputs& in) const {
  for (const ObjectKey& key : index_.DependentsOf(api::UidOf(route))) {
    if (key.resource != resource::kCoreServices) continue;
    if (const auto service = Find(key)) in.services[key.name] = service;
  }
  const auto add = [&](const std::string& tag) {
    const std::string name = HostLabel(route, tag, config_);
    if (const auto service = Find(KeyIn(route, resource::kCoreServices, name)))
      in.services[name] = service;
  };
  add("");
  for (const TrafficTarget& target : ReadTraffic(api::ArrayAt(route, {"spec", "traffic"})))
    add(target.tag);
}

GarbageInputs InputReader::ReadGarbage(const ObjectKey& key,
                                       std::shared_ptr<const Json> object) const {
  const std::set<ObjectKey>& dependents = index_.DependentsOf(api::UidOf(*object));
  return {.key = key,
          .object = std::move(object),
          .dependents = {dependents.begin(), dependents.end()},
          .find = [this](const ObjectKey& other) { return Find(other); },
          .alive = [this](const std::string& uid) { return index_.Alive(uid); },
          .has_dependents =
              [this](const std::string& uid) { return !index_.DependentsOf(uid).empty(); }};
}

std::vector<std::pair<ObjectKey, std::shared_ptr<const Json>>> InputReader::ReadNamespace(
    const std::string& ns) const {
  std::vector<std::pair<ObjectKey, std::shared_ptr<const Json>>> content;
  for (const std::string& name : objects_.Resources()) {
    for (const std::shared_ptr<const Json>& object : objects_.List(name, ns).objects) {
      content.emplace_back(ObjectKey{name, ns, api::NameOf(*object)}, object);
    }
  }
  return content;
}

}  // namespace updraft::controller
