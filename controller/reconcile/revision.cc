#include "controller/reconcile/revision.h"

#include "controller/reconcile/image_digests.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/status_pass.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

constexpr char kResourcesAvailable[] = "ResourcesAvailable";
constexpr char kContainerHealthy[] = "ContainerHealthy";
constexpr char kActive[] = "Active";
constexpr char kDeploying[] = "Deploying";
constexpr char kContainerMissing[] = "ContainerMissing";
constexpr char kUnschedulable[] = "Unschedulable";
constexpr char kProgressDeadlineExceeded[] = "ProgressDeadlineExceeded";

// In status.annotations, which Knative keeps for controllers' own state.
constexpr char kInitialized[] = "updraft.dev/initialized";

bool IsFalseWith(const StatusPass& pass, std::string_view type, std::string_view reason) {
  const auto condition = pass.Get(type);
  return condition && condition->IsFalse() && condition->reason == reason;
}

bool IsFalse(const StatusPass& pass, std::string_view type) {
  const auto condition = pass.Get(type);
  return condition && condition->IsFalse();
}

bool IsCrash(const RevisionObserved::Failure& failure) {
  return failure.reason.starts_with("ExitCode") || failure.reason == "OOMKilled";
}

void MarkFailure(const RevisionObserved::Failure& failure, StatusPass& pass) {
  if (!IsCrash(failure)) {
    pass.MarkFalse(kResourcesAvailable, failure.reason, failure.message);
    return;
  }
  const bool silent = failure.message.empty() && failure.reason == "ExitCode0";
  pass.MarkFalse(
      kContainerHealthy, failure.reason,
      "Container failed with: " + (silent ? "container exited with no error" : failure.message));
}

// Both conditions of a revision whose initial scale was never reached.
void JudgeDeploying(const RevisionObserved& observed, const ServingConfig& config,
                    StatusPass& pass) {
  if (!IsFalseWith(pass, kResourcesAvailable, kProgressDeadlineExceeded)) {
    pass.MarkUnknown(kResourcesAvailable, kDeploying, "");
  }
  // A crash stays told while the next try is under way.
  if (!IsFalse(pass, kContainerHealthy) ||
      IsFalseWith(pass, kContainerHealthy, kContainerMissing)) {
    pass.MarkUnknown(kContainerHealthy, kDeploying, "");
  }
  if (!observed.known) return;
  const bool may_wait = observed.failure && observed.failure->reason == kUnschedulable &&
                        config.deployment.pod_is_always_schedulable;
  if (observed.failure && observed.ready == 0 && !may_wait) MarkFailure(*observed.failure, pass);
  const bool told = IsFalse(pass, kResourcesAvailable) || IsFalse(pass, kContainerHealthy);
  const bool gave_up = observed.activity == Activity::kTimedOut;
  if (gave_up && !told) {
    pass.MarkFalse(kResourcesAvailable, kProgressDeadlineExceeded,
                   "Initial scale was never achieved");
  }
}

void JudgeInitialized(const RevisionObserved& observed, StatusPass& pass) {
  if (!observed.known) return;  // as it was told last
  pass.MarkTrue(kResourcesAvailable);
  pass.MarkTrue(kContainerHealthy);
  if (observed.failure && observed.ready == 0) MarkFailure(*observed.failure, pass);
}

void JudgeActivity(const RevisionObserved& observed, StatusPass& pass) {
  switch (observed.activity) {
    case Activity::kUnknown:
      if (!pass.Get(kActive)) pass.MarkUnknown(kActive, kDeploying, "");
      return;
    case Activity::kActivating:
      return pass.MarkUnknown(
          kActive, "Queued",
          "Requests to the target are being buffered as resources are provisioned.");
    case Activity::kActive:
      return pass.MarkTrue(kActive);
    case Activity::kInactive:
      return pass.MarkFalse(kActive, "NoTraffic", "The target is not receiving traffic.");
    case Activity::kTimedOut:
      return pass.MarkFalse(kActive, "TimedOut", "The target could not be activated.");
  }
}

void WriteReplicas(const RevisionObserved& observed, Json& status) {
  if (!observed.known) return;
  status["actualReplicas"] = observed.ready;
  if (observed.desired) status["desiredReplicas"] = *observed.desired;
}

void WriteLogUrl(const Json& revision, const ServingConfig& config, Json& status) {
  constexpr std::string_view kUid = "${REVISION_UID}";
  std::string url = config.revision_url_template;
  if (url.empty()) return void(status.erase("logUrl"));
  const std::string uid = api::UidOf(revision);
  for (size_t at = url.find(kUid); at != std::string::npos; at = url.find(kUid, at + uid.size()))
    url.replace(at, kUid.size(), uid);
  status["logUrl"] = url;
}

void JudgeInstances(const RevisionInputs& in, const ServingConfig& config, StatusPass& pass) {
  const bool initialized = in.observed.initialized || WasInitialized(*in.revision);
  if (initialized) {
    pass.status()["annotations"][kInitialized] = "true";
    JudgeInitialized(in.observed, pass);
  } else {
    JudgeDeploying(in.observed, config, pass);
  }
  JudgeActivity(in.observed, pass);
  WriteReplicas(in.observed, pass.status());
}

// Whether the digests are known after this pass.
bool ReconcileDigests(const RevisionInputs& in, const ServingConfig& config, WallTime now,
                      StatusPass& pass, ReconcilePlan& plan) {
  if (HasDigests(*in.revision)) return true;
  DigestVerdict verdict = JudgeDigests(in, config, now, plan);
  if (!verdict.resolved) {
    pass.MarkUnknown(kResourcesAvailable, "ResolvingDigests", verdict.trouble);
    if (verdict.failure) pass.MarkFalse(kContainerHealthy, kContainerMissing, *verdict.failure);
    return false;
  }
  pass.status()["containerStatuses"] = std::move(verdict.container_statuses);
  if (!verdict.init_container_statuses.empty()) {
    pass.status()["initContainerStatuses"] = std::move(verdict.init_container_statuses);
  }
  return true;
}

}  // namespace

bool WasInitialized(const Json& revision) {
  return api::StringAt(revision, {"status", "annotations", kInitialized}) == "true";
}

bool HasDigests(const Json& revision) {
  const size_t containers = api::ArrayAt(revision, {"spec", "containers"}).size() +
                            api::ArrayAt(revision, {"spec", "initContainers"}).size();
  const size_t known = api::ArrayAt(revision, {"status", "containerStatuses"}).size() +
                       api::ArrayAt(revision, {"status", "initContainerStatuses"}).size();
  return containers == known;
}

ReconcilePlan ReconcileRevision(const RevisionInputs& in, const ServingConfig& config,
                                WallTime now) {
  ReconcilePlan plan;
  const Json& revision = *in.revision;
  const bool was_ready = api::IsConditionTrue(revision, api::kReady);
  StatusPass pass(revision, api::RevisionConditions(), now);
  if (ReconcileDigests(in, config, now, pass, plan)) JudgeInstances(in, config, pass);
  WriteLogUrl(revision, config, pass.status());
  if (!was_ready && pass.Sum().IsTrue()) {
    plan.Normal("RevisionReady", "Revision becomes ready upon all resources being ready");
  }
  pass.Finish(KeyOf(revision, resource::kRevisions), plan);
  return plan;
}

}  // namespace updraft::controller
