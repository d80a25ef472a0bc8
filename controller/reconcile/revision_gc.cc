#include "controller/reconcile/revision_gc.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

struct Candidate {
  const Json* revision = nullptr;
  WallTime created = {};
  WallTime last_active = {};
};

bool IsTrueIgnoringCase(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text == "true";
}

bool IsKept(const Json& revision, const Json& configuration) {
  return api::NameOf(revision) ==
             api::StringAt(configuration, {"status", "latestReadyRevisionName"}) ||
         IsTrueIgnoringCase(api::AnnotationOf(revision, annotation::kNoGc)) ||
         api::IsBeingDeleted(revision) || api::LabelOf(revision, label::kRoutingState) != "reserve";
}

// When the revision becomes stale; nullopt: never.
std::optional<WallTime> StaleAt(const Candidate& candidate, const RevisionRetention& retention) {
  if (!retention.since_create && !retention.since_last_active) return std::nullopt;
  WallTime when{};
  if (retention.since_create) when = std::max(when, candidate.created + *retention.since_create);
  if (retention.since_last_active)
    when = std::max(when, candidate.last_active + *retention.since_last_active);
  return when;
}

std::vector<Candidate> NonActive(const Json& configuration,
                                 const std::vector<std::shared_ptr<const Json>>& revisions) {
  std::vector<Candidate> candidates;
  for (const std::shared_ptr<const Json>& revision : revisions) {
    if (IsKept(*revision, configuration)) continue;
    const WallTime created = api::CreationTimeOf(*revision).value_or(WallTime());
    const auto modified =
        api::ParseTimestamp(api::AnnotationOf(*revision, annotation::kRoutingStateModified));
    candidates.push_back({revision.get(), created, modified.value_or(created)});
  }
  std::ranges::stable_sort(candidates, {}, &Candidate::last_active);
  return candidates;
}

}  // namespace

void PlanRevisionGc(const Json& configuration,
                    const std::vector<std::shared_ptr<const Json>>& revisions,
                    const RevisionRetention& retention, WallTime now, ReconcilePlan& plan) {
  const auto keep_min = static_cast<size_t>(std::max<int64_t>(retention.non_active_min, 0));
  if (!retention.since_create && !retention.since_last_active && !retention.non_active_max) return;
  if (revisions.size() <= keep_min) return;
  std::vector<Candidate> candidates = NonActive(configuration, revisions);
  if (candidates.size() <= keep_min) return;

  const auto remove = [&plan](const Candidate& candidate) {
    plan.writes.push_back(DeleteObject{KeyOf(*candidate.revision, resource::kRevisions),
                                       api::UidOf(*candidate.revision), Propagation::kBackground});
  };
  size_t stale_most = candidates.size() - keep_min;
  std::vector<Candidate> rest;
  for (const Candidate& candidate : candidates) {
    const std::optional<WallTime> stale_at = StaleAt(candidate, retention);
    if (stale_most != 0 && stale_at && *stale_at <= now) {
      remove(candidate);
      --stale_most;
      continue;
    }
    if (stale_most != 0 && stale_at) plan.WakeNoLaterThan(*stale_at);
    rest.push_back(candidate);
  }
  if (stale_most == 0 || !retention.non_active_max) return;
  const auto keep_most = static_cast<size_t>(std::max<int64_t>(*retention.non_active_max, 0));
  for (size_t i = 0; i + keep_most < rest.size(); ++i) remove(rest[i]);
}

}  // namespace updraft::controller
