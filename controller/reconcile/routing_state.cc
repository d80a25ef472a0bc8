#include "controller/reconcile/routing_state.h"

#include <set>

#include "controller/reconcile/children.h"
#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

enum class Mark { kSet, kClear };
enum class Kind { kConfiguration, kRevision };

struct Named {
  std::set<std::string> configurations = {};
  std::set<std::string> revisions = {};
};

void AddNamed(const TrafficTarget& target, const ObjectsByName& configurations,
              const ObjectsByName& revisions, Named& named) {
  std::string configuration = target.configuration;
  if (!target.revision.empty()) {
    const auto revision = revisions.find(target.revision);
    if (revision == revisions.end()) return;
    named.revisions.insert(target.revision);
    const auto owner = api::ControllerOf(*revision->second);
    if (owner && owner->kind == "Configuration") configuration = owner->name;
  }
  const auto found = configurations.find(configuration);
  if (found == configurations.end()) return;
  named.configurations.insert(configuration);
  // The newest is kept reachable while it becomes ready, for a smooth transition.
  const std::string created =
      api::StringAt(*found->second, {"status", "latestCreatedRevisionName"});
  if (target.latest.value_or(false) && !created.empty()) named.revisions.insert(created);
}

bool IsSettled(const Json& route) {
  const auto ready = api::ConditionOf(route, api::kReady);
  return api::ObservedGenerationOf(route) == api::GenerationOf(route) && ready &&
         !ready->IsUnknown();
}

void PlanMark(const Json& object, Kind kind, std::string_view route, Mark mark, WallTime now,
              ReconcilePlan& plan) {
  Json marked = object;
  std::set<std::string> routes = SplitList(api::AnnotationOf(object, annotation::kRoutes));
  if (mark == Mark::kSet) {
    routes.emplace(route);
  } else {
    routes.erase(std::string(route));
  }
  Json& annotations = api::EnsureObject(marked, {"metadata", "annotations"});
  if (routes.empty()) {
    annotations.erase(annotation::kRoutes);
  } else {
    annotations[annotation::kRoutes] = JoinList(routes);
  }
  const char* state = routes.empty() ? "reserve" : "active";
  if (kind == Kind::kRevision && api::LabelOf(object, label::kRoutingState) != state) {
    api::SetLabel(marked, label::kRoutingState, state);
    annotations[annotation::kRoutingStateModified] = api::FormatTimestamp(now);
  }
  if (marked == object) return;
  const char* resource = kind == Kind::kRevision ? resource::kRevisions : resource::kConfigurations;
  plan.writes.push_back(UpdateObject{KeyOf(object, resource), std::move(marked)});
}

void PlanMarks(const ObjectsByName& objects, Kind kind, const std::set<std::string>& named,
               bool clear_others, std::string_view route, WallTime now, ReconcilePlan& plan) {
  for (const auto& [name, object] : objects) {
    if (api::IsBeingDeleted(*object)) continue;
    if (named.contains(name)) {
      PlanMark(*object, kind, route, Mark::kSet, now, plan);
    } else if (clear_others && SplitList(api::AnnotationOf(*object, annotation::kRoutes))
                                   .contains(std::string(route))) {
      PlanMark(*object, kind, route, Mark::kClear, now, plan);
    }
  }
}

}  // namespace

void PlanRoutingState(const Json& route, const ObjectsByName& configurations,
                      const ObjectsByName& revisions, WallTime now, ReconcilePlan& plan) {
  Named named;
  for (const char* part : {"status", "spec"}) {
    for (const TrafficTarget& target : ReadTraffic(api::ArrayAt(route, {part, "traffic"}))) {
      AddNamed(target, configurations, revisions, named);
    }
  }
  const std::string name = api::NameOf(route);
  const bool settled = IsSettled(route);
  PlanMarks(configurations, Kind::kConfiguration, named.configurations, settled, name, now, plan);
  PlanMarks(revisions, Kind::kRevision, named.revisions, settled, name, now, plan);
}

void PlanRoutingStateWithout(std::string_view route_name, const ObjectsByName& configurations,
                             const ObjectsByName& revisions, WallTime now, ReconcilePlan& plan) {
  PlanMarks(configurations, Kind::kConfiguration, {}, true, route_name, now, plan);
  PlanMarks(revisions, Kind::kRevision, {}, true, route_name, now, plan);
}

}  // namespace updraft::controller
