#include "controller/reconcile/traffic.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "controller/reconcile/children.h"
#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

using RevisionOrProblem = std::variant<std::string, TrafficProblem>;

bool HasFailed(const Json& object) {
  const auto ready = api::ConditionOf(object, api::kReady);
  return ready && ready->IsFalse();
}

const Json* FindObject(const ObjectsByName& objects, const std::string& name) {
  const auto it = objects.find(name);
  return it == objects.end() ? nullptr : it->second.get();
}

TrafficProblem Missing(const std::string& kind, const std::string& name) {
  return {true, kind + "Missing",
          kind + " " + InQuotes(name) + " referenced in traffic not found."};
}

std::optional<TrafficProblem> UnlessReady(const Json& revision) {
  if (IsReady(revision)) return std::nullopt;
  const std::string name = InQuotes(api::NameOf(revision));
  if (HasFailed(revision))
    return TrafficProblem{true, "RevisionMissing", "Revision " + name + " failed to become ready."};
  return TrafficProblem{false, "RevisionMissing", "Revision " + name + " is not yet ready."};
}

// A Service's route may not lead to the revisions of another Service.
std::optional<TrafficProblem> UnlessOwned(const Json& revision, const Json& route) {
  const std::string expected = api::LabelOf(route, label::kService);
  const std::string actual = api::LabelOf(revision, label::kService);
  if (expected.empty() || expected == actual) return std::nullopt;
  const std::string name = InQuotes(api::NameOf(revision));
  if (actual.empty()) {
    return TrafficProblem{
        true, "RevisionNotOwned",
        "Revision " + name + " does not belong to Service " + InQuotes(expected) + "."};
  }
  return TrafficProblem{true, "RevisionNotOwned",
                        "Revision " + name + " belongs to Service " + InQuotes(actual) +
                            ", not Service " + InQuotes(expected) + "."};
}

RevisionOrProblem FindRevision(const TrafficTarget& target, const Json& route,
                               const ObjectsByName& revisions) {
  const Json* revision = FindObject(revisions, target.revision);
  if (revision == nullptr) return Missing("Revision", target.revision);
  if (auto problem = UnlessOwned(*revision, route)) return *problem;
  if (auto problem = UnlessReady(*revision)) return *problem;
  return target.revision;
}

RevisionOrProblem FindLatest(const TrafficTarget& target, const ObjectsByName& configurations,
                             const ObjectsByName& revisions) {
  const Json* configuration = FindObject(configurations, target.configuration);
  if (configuration == nullptr) return Missing("Configuration", target.configuration);
  const std::string name = InQuotes(target.configuration);
  const std::string latest = api::StringAt(*configuration, {"status", "latestReadyRevisionName"});
  if (latest.empty() && HasFailed(*configuration)) {
    return TrafficProblem{true, "RevisionMissing",
                          "Configuration " + name + " does not have any ready Revision."};
  }
  if (latest.empty()) {
    return TrafficProblem{false, "RevisionMissing",
                          "Configuration " + name + " is waiting for a Revision to become ready."};
  }
  const Json* revision = FindObject(revisions, latest);
  if (revision == nullptr) return Missing("Revision", latest);
  if (auto problem = UnlessReady(*revision)) return *problem;
  return latest;
}

}  // namespace

std::vector<TrafficTarget> ReadTraffic(const Json& traffic) {
  std::vector<TrafficTarget> targets;
  for (const Json& json : traffic) {
    TrafficTarget target{.tag = api::StringAt(json, {"tag"}),
                         .revision = api::StringAt(json, {"revisionName"}),
                         .configuration = api::StringAt(json, {"configurationName"}),
                         .percent = api::IntAt(json, {"percent"})};
    if (api::Find(json, {"latestRevision"}) != nullptr)
      target.latest = api::BoolAt(json, {"latestRevision"});
    targets.push_back(std::move(target));
  }
  return targets;
}

void MergeTarget(std::vector<TrafficTarget>& targets, TrafficTarget target) {
  const auto same = std::ranges::find_if(targets, [&target](const TrafficTarget& other) {
    return other.tag == target.tag && other.revision == target.revision &&
           other.latest == target.latest;
  });
  if (same == targets.end()) {
    targets.push_back(std::move(target));
  } else {
    same->percent += target.percent;
  }
}

AssignedTraffic AssignTraffic(const Json& route, const ObjectsByName& configurations,
                              const ObjectsByName& revisions) {
  AssignedTraffic assigned;
  for (TrafficTarget& target : ReadTraffic(api::ArrayAt(route, {"spec", "traffic"}))) {
    const RevisionOrProblem found = !target.revision.empty()
                                        ? FindRevision(target, route, revisions)
                                        : FindLatest(target, configurations, revisions);
    if (const auto* problem = std::get_if<TrafficProblem>(&found)) {
      // The first problem is told, unless a later one is a failure.
      if (!assigned.problem || problem->failed) assigned.problem = *problem;
      continue;
    }
    target.revision = std::get<std::string>(found);
    MergeTarget(assigned.targets, std::move(target));
  }
  if (assigned.problem) assigned.targets.clear();
  return assigned;
}

}  // namespace updraft::controller
