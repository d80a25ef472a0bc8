#include "controller/reconcile/configuration.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "controller/reconcile/children.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/revision_gc.h"
#include "controller/reconcile/revision_name.h"
#include "controller/reconcile/status_pass.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

using RevisionPtr = std::shared_ptr<const Json>;

int64_t ConfigurationGeneration(const Json& revision) {
  const std::string text = api::LabelOf(revision, label::kConfigurationGeneration);
  int64_t generation = 0;
  std::from_chars(text.data(), text.data() + text.size(), generation);
  return generation;
}

Json NewRevision(const Json& configuration, WallTime now) {
  const Json& meta = api::ObjectAt(configuration, {"spec", "template", "metadata"});
  ChildSpec wanted{.key = KeyIn(configuration, resource::kRevisions, RevisionNameOf(configuration)),
                   .api_version = kServingApiVersion,
                   .kind = "Revision",
                   .labels = api::ObjectAt(meta, {"labels"}),
                   .annotations = api::ObjectAt(meta, {"annotations"}),
                   .spec = api::ObjectAt(configuration, {"spec", "template", "spec"})};
  wanted.labels[label::kConfiguration] = api::NameOf(configuration);
  wanted.labels[label::kConfigurationUid] = api::UidOf(configuration);
  wanted.labels[label::kConfigurationGeneration] = std::to_string(api::GenerationOf(configuration));
  for (const char* inherited : {label::kService, label::kServiceUid}) {
    if (std::string value = api::LabelOf(configuration, inherited); !value.empty())
      wanted.labels[inherited] = value;
  }
  if (std::string modifier = api::AnnotationOf(configuration, annotation::kLastModifier);
      !modifier.empty()) {
    wanted.annotations[annotation::kCreator] = modifier;
  }
  const std::string routes = api::AnnotationOf(configuration, annotation::kRoutes);
  if (!routes.empty()) wanted.annotations[annotation::kRoutes] = routes;
  wanted.labels[label::kRoutingState] = routes.empty() ? "pending" : "active";
  wanted.annotations[annotation::kRoutingStateModified] = api::FormatTimestamp(now);
  return NewChild(wanted, configuration);
}

// What stands for the configuration's generation: a revision that is there, one to be made, or
// nothing because its name is taken.
struct LatestCreated {
  RevisionPtr revision = nullptr;
  bool create = false;
  bool taken = false;
  bool brought = false;  // its name was chosen by the user
};

LatestCreated FindLatestCreated(const ConfigurationInputs& in) {
  const Json& configuration = *in.configuration;
  const bool brought = !NamedRevision(configuration).empty();
  if (!brought) {
    for (const RevisionPtr& revision : in.revisions) {
      if (ConfigurationGeneration(*revision) == api::GenerationOf(configuration))
        return {.revision = revision};
    }
  }
  switch (CheckNamedRevision(configuration, in.named_revision)) {
    case NamedRevisionState::kFree:
      return {.create = true, .brought = brought};
    case NamedRevisionState::kMatches:
      return {.revision = in.named_revision, .brought = brought};
    case NamedRevisionState::kLeftover:
      return {.brought = brought};
    case NamedRevisionState::kConflict:
      break;
  }
  return {.taken = true, .brought = brought};
}

// The newest revision that is ready and not older than the one which is the latest ready now,
// unless that one is gone. A revision that the user names comes first, so that he can go back to
// it.
RevisionPtr FindLatestReady(const ConfigurationInputs& in, const LatestCreated& created) {
  const Json& configuration = *in.configuration;
  const std::string current = api::StringAt(configuration, {"status", "latestReadyRevisionName"});
  const auto found = std::ranges::find_if(in.revisions, [&current](const RevisionPtr& revision) {
    return api::NameOf(*revision) == current;
  });
  const int64_t oldest = found == in.revisions.end() ? 0 : ConfigurationGeneration(**found);
  const auto is_named = [&created](const RevisionPtr& revision) {
    return created.brought && created.revision &&
           api::NameOf(*revision) == api::NameOf(*created.revision);
  };
  RevisionPtr best;
  for (const RevisionPtr& revision : in.revisions) {
    if (!IsReady(*revision)) continue;
    if (is_named(revision)) return revision;
    const int64_t generation = ConfigurationGeneration(*revision);
    if (generation < oldest || generation > api::GenerationOf(configuration)) continue;
    if (!best || generation > ConfigurationGeneration(*best)) best = revision;
  }
  return best;
}

void NoteFailure(const std::string& name, const api::Condition& ready, StatusPass& pass,
                 ReconcilePlan& plan) {
  const std::string message =
      "Revision " + InQuotes(name) + " failed with message: " + ready.message + ".";
  const std::optional<api::Condition> before = pass.Get(api::kReady);
  pass.MarkFalse(api::kReady, "RevisionFailed", message);
  if (before && before->IsFalse() && before->message == message) return;
  if (name == api::StringAt(pass.status(), {"latestReadyRevisionName"})) {
    plan.Warn("LatestReadyFailed", "Latest ready revision " + InQuotes(name) + " has failed");
  } else {
    plan.Warn("LatestCreatedFailed", "Latest created revision " + InQuotes(name) + " has failed");
  }
}

void JudgeLatestCreated(const std::string& name, const RevisionPtr& revision, StatusPass& pass,
                        ReconcilePlan& plan) {
  Json& status = pass.status();
  status["latestCreatedRevisionName"] = name;
  const auto ready = revision ? api::ConditionOf(*revision, api::kReady) : std::nullopt;
  if (ready && ready->IsFalse()) {
    NoteFailure(name, *ready, pass, plan);
  } else if (api::StringAt(status, {"latestReadyRevisionName"}) != name) {
    pass.MarkUnknown(api::kReady, "", "");
  }
}

void AdvanceLatestReady(const std::string& name, StatusPass& pass, ReconcilePlan& plan) {
  Json& status = pass.status();
  const std::string old = api::StringAt(status, {"latestReadyRevisionName"});
  if (old.empty()) plan.Normal("ConfigurationReady", "Configuration becomes ready");
  if (old != name)
    plan.Normal("LatestReadyUpdate", "LatestReadyRevisionName updated to " + InQuotes(name));
  status["latestReadyRevisionName"] = name;
  if (name == api::StringAt(status, {"latestCreatedRevisionName"})) pass.MarkTrue(api::kReady);
}

}  // namespace

ReconcilePlan ReconcileConfiguration(const ConfigurationInputs& in,
                                     const RevisionRetention& retention, WallTime now) {
  ReconcilePlan plan;
  const Json& configuration = *in.configuration;
  StatusPass pass(configuration, api::ConfigurationConditions(), now);
  const std::string name = RevisionNameOf(configuration);
  const LatestCreated created = FindLatestCreated(in);
  if (created.taken) {
    pass.MarkFalse(api::kReady, "RevisionFailed",
                   "Revision creation failed with message: revisions.serving.knative.dev " +
                       InQuotes(name) + " already exists.");
  } else if (created.create) {
    plan.writes.push_back(CreateObject{KeyIn(configuration, resource::kRevisions, name),
                                       NewRevision(configuration, now)});
    plan.Normal("Created", "Created Revision " + InQuotes(name));
    JudgeLatestCreated(name, nullptr, pass, plan);
  } else if (!created.revision) {
    // An earlier configuration's revision of that name is about to be collected; we are called
    // then.
    return plan;
  } else {
    JudgeLatestCreated(api::NameOf(*created.revision), created.revision, pass, plan);
  }
  if (!created.taken) {
    if (const RevisionPtr ready = FindLatestReady(in, created))
      AdvanceLatestReady(api::NameOf(*ready), pass, plan);
  }
  pass.Finish(KeyOf(configuration, resource::kConfigurations), plan);
  PlanRevisionGc(configuration, in.revisions, retention, now, plan);
  return plan;
}

}  // namespace updraft::controller
