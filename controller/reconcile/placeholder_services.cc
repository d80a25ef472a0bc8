#include "controller/reconcile/placeholder_services.h"

#include <set>
#include <utility>

#include "controller/reconcile/children.h"
#include "controller/reconcile/domains.h"
#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

ChildSpec WantedService(const Json& route, const std::string& tag, const ServingConfig& config) {
  const std::string name = HostLabel(route, tag, config);
  ChildSpec wanted{
      .key = KeyIn(route, resource::kCoreServices, name),
      .api_version = "v1",
      .kind = "Service",
      .labels = Without(api::ObjectAt(route, {"metadata", "labels"}), {label::kVisibility}),
      .annotations = api::ObjectAt(route, {"metadata", "annotations"})};
  wanted.labels[label::kRoute] = api::NameOf(route);
  const Result<std::string> host = ExternalHost(route, tag, config);
  wanted.spec = {{"type", "ExternalName"},
                 {"externalName", host ? *host : ClusterHost(route, tag, config)},
                 {"sessionAffinity", "None"},
                 {"ports", Json::array({{{"name", "http2"},
                                         {"appProtocol", "kubernetes.io/h2c"},
                                         {"port", 80},
                                         {"protocol", "TCP"},
                                         {"targetPort", 80}}})}};
  return wanted;
}

// Both maps together; where they differ, what `map` says.
Json Over(Json rest, Json map) {
  if (!rest.is_object()) return map;
  rest.update(map);
  return rest;
}

void PlanService(const std::shared_ptr<const Json>& existing, ChildSpec wanted, const Json& route,
                 ReconcilePlan& plan) {
  if (!existing) {
    plan.writes.push_back(CreateObject{wanted.key, NewChild(wanted, route)});
    plan.Normal("Created", "Created placeholder service " + InQuotes(wanted.key.name));
    return;
  }
  // Added to what is there, as Knative does: a label or annotation that its Route loses stays, and so does one that users
  // put there, such as the visibility that hides one tag alone.
  wanted.labels = Over(api::ObjectAt(*existing, {"metadata", "labels"}), std::move(wanted.labels));
  wanted.annotations = Over(api::ObjectAt(*existing, {"metadata", "annotations"}), std::move(wanted.annotations));
  Json updated = WithWanted(*existing, wanted);
  if (updated != *existing) plan.writes.push_back(UpdateObject{wanted.key, std::move(updated)});
}

}  // namespace

std::optional<std::string> PlanPlaceholderServices(const Json& route,
                                                   const std::vector<std::string>& tags,
                                                   const ObjectsByName& services,
                                                   const ServingConfig& config,
                                                   ReconcilePlan& plan) {
  const auto find = [&services](const std::string& name) -> std::shared_ptr<const Json> {
    const auto it = services.find(name);
    return it == services.end() ? nullptr : it->second;
  };
  std::set<std::string> names;
  for (const std::string& tag : tags) {
    std::string name = HostLabel(route, tag, config);
    const Ownership ownership = OwnershipOf(find(name), route);
    if (ownership == Ownership::kForeign || ownership == Ownership::kLeftover) return name;
    names.insert(std::move(name));
  }
  for (const std::string& tag : tags) {
    PlanService(find(HostLabel(route, tag, config)), WantedService(route, tag, config), route,
                plan);
  }
  for (const auto& [name, service] : services) {
    if (names.contains(name) || OwnershipOf(service, route) != Ownership::kOurs) continue;
    plan.writes.push_back(DeleteObject{KeyOf(*service, resource::kCoreServices),
                                       api::UidOf(*service), Propagation::kBackground});
  }
  return std::nullopt;
}

}  // namespace updraft::controller
