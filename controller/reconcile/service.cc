#include "controller/reconcile/service.h"

#include <string>
#include <utility>
#include <vector>

#include "controller/reconcile/children.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/revision_name.h"
#include "controller/reconcile/status_pass.h"
#include "controller/reconcile/traffic.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

constexpr char kConfigurationsReady[] = "ConfigurationsReady";
constexpr char kRoutesReady[] = "RoutesReady";
constexpr char kOutOfDate[] = "OutOfDate";

ChildSpec WantedConfiguration(const Json& service, const std::shared_ptr<const Json>& existing) {
  ChildSpec wanted{.key = KeyOf(service, resource::kConfigurations),
                   .api_version = kServingApiVersion,
                   .kind = "Configuration",
                   .labels = api::ObjectAt(service, {"metadata", "labels"})};
  wanted.labels[label::kService] = api::NameOf(service);
  wanted.labels[label::kServiceUid] = api::UidOf(service);
  wanted.annotations = Without(
      api::ObjectAt(service, {"metadata", "annotations"}),
      {annotation::kLastApplied, annotation::kRolloutDuration, annotation::kRolloutDurationOld});
  // Says from the start that its revisions will be routed to, so that they are born active.
  std::set<std::string> routes;
  if (existing) routes = SplitList(api::AnnotationOf(*existing, annotation::kRoutes));
  routes.insert(api::NameOf(service));
  wanted.annotations[annotation::kRoutes] = JoinList(routes);
  wanted.spec = {{"template", api::ObjectAt(service, {"spec", "template"})}};
  return wanted;
}

ChildSpec WantedRoute(const Json& service) {
  ChildSpec wanted{.key = KeyOf(service, resource::kRoutes),
                   .api_version = kServingApiVersion,
                   .kind = "Route",
                   .labels = api::ObjectAt(service, {"metadata", "labels"})};
  wanted.labels[label::kService] = api::NameOf(service);
  wanted.annotations =
      Without(api::ObjectAt(service, {"metadata", "annotations"}), {annotation::kLastApplied});
  Json traffic = api::ArrayAt(service, {"spec", "traffic"});
  for (Json& target : traffic) {
    if (api::StringAt(target, {"revisionName"}).empty())
      target["configurationName"] = api::NameOf(service);
  }
  wanted.spec = {{"traffic", std::move(traffic)}};
  return wanted;
}

// Brings a child into being or up to date. Gives the state in which the plan leaves it, or nothing
// when an object of that name is in the way; `pass` then says so.
std::shared_ptr<const Json> EnsureChild(const std::shared_ptr<const Json>& existing,
                                        const ChildSpec& wanted, const char* condition,
                                        StatusPass& pass, ReconcilePlan& plan) {
  const Json& service = pass.object();
  switch (OwnershipOf(existing, service)) {
    case Ownership::kForeign:
      pass.MarkFalse(condition, "NotOwned",
                     "There is an existing " + wanted.kind + " " + InQuotes(wanted.key.name) +
                         " that we do not own.");
      return nullptr;
    case Ownership::kLeftover:
      // The garbage of an earlier service of this name; once it is collected there is room.
      pass.MarkUnknown(
          condition, kOutOfDate,
          "The " + wanted.kind + " is still working to reflect the latest desired specification.");
      return nullptr;
    case Ownership::kNone: {
      auto created = std::make_shared<Json>(NewChild(wanted, service));
      plan.writes.push_back(CreateObject{wanted.key, *created});
      plan.Normal("Created", "Created " + wanted.kind + " " + InQuotes(wanted.key.name));
      (*created)["metadata"]["generation"] = 1;
      return created;
    }
    case Ownership::kOurs:
      break;
  }
  Json updated = WithWanted(*existing, wanted);
  if (updated == *existing) return existing;
  plan.writes.push_back(UpdateObject{wanted.key, updated});
  return std::make_shared<Json>(std::move(updated));
}

bool Observed(const Json& child) {
  return api::ObservedGenerationOf(child) == api::GenerationOf(child);
}

void PropagateConfiguration(const Json& configuration, StatusPass& pass) {
  if (!Observed(configuration)) {
    pass.MarkUnknown(
        kConfigurationsReady, kOutOfDate,
        "The Configuration is still working to reflect the latest desired specification.");
    return;
  }
  CopyStatusField(configuration, "latestCreatedRevisionName", pass.status());
  CopyStatusField(configuration, "latestReadyRevisionName", pass.status());
  if (const auto ready = api::ConditionOf(configuration, api::kReady))
    pass.Copy(kConfigurationsReady, *ready);
}

// The traffic that the route's status will show once it follows the latest ready revision.
std::vector<TrafficTarget> AwaitedTraffic(const Json& route, const Json& configuration) {
  std::vector<TrafficTarget> awaited;
  for (TrafficTarget target : ReadTraffic(api::ArrayAt(route, {"spec", "traffic"}))) {
    if (target.configuration == api::NameOf(configuration)) {
      target.revision = api::StringAt(configuration, {"status", "latestReadyRevisionName"});
    }
    target.configuration.clear();
    MergeTarget(awaited, std::move(target));
  }
  return awaited;
}

bool TrafficMigrated(const Json& route, const Json& configuration) {
  return AwaitedTraffic(route, configuration) ==
         ReadTraffic(api::ArrayAt(route, {"status", "traffic"}));
}

void PropagateRoute(const Json& route, const Json& configuration, StatusPass& pass) {
  if (!Observed(route)) {
    pass.MarkUnknown(kRoutesReady, kOutOfDate,
                     "The Route is still working to reflect the latest desired specification.");
    return;
  }
  for (const char* field : {"url", "address", "traffic"})
    CopyStatusField(route, field, pass.status());
  const auto ready = api::ConditionOf(route, api::kReady);
  if (!ready) return;
  pass.Copy(kRoutesReady, *ready);
  if (ready->IsTrue() && !TrafficMigrated(route, configuration)) {
    pass.MarkUnknown(kRoutesReady, "TrafficNotMigrated",
                     "Traffic is not yet migrated to the latest revision.");
  }
}

void ReconcileChildren(const ServiceInputs& in, StatusPass& pass, ReconcilePlan& plan) {
  const Json& service = *in.service;
  const auto configuration =
      EnsureChild(in.configuration, WantedConfiguration(service, in.configuration),
                  kConfigurationsReady, pass, plan);
  if (!configuration) return;
  PropagateConfiguration(*configuration, pass);
  const std::string name = NamedRevision(*configuration);
  if (!name.empty()) {
    // A revision name that the user chose may be taken: traffic waits until it is known not to be.
    if (!Observed(*configuration)) return;
    if (CheckNamedRevision(*configuration, in.named_revision) == NamedRevisionState::kConflict) {
      pass.MarkFalse(kRoutesReady, "RevisionNameTaken",
                     "The revision name " + InQuotes(name) +
                         " is taken by a conflicting Revision, so traffic will not be migrated");
      return;
    }
  }
  const auto route = EnsureChild(in.route, WantedRoute(service), kRoutesReady, pass, plan);
  if (route) PropagateRoute(*route, *configuration, pass);
}

}  // namespace

ReconcilePlan ReconcileService(const ServiceInputs& in, WallTime now) {
  ReconcilePlan plan;
  StatusPass pass(*in.service, api::ServiceConditions(), now);
  ReconcileChildren(in, pass, plan);
  pass.Finish(KeyOf(*in.service, resource::kServices), plan);
  return plan;
}

}  // namespace updraft::controller
