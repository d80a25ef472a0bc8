#include "controller/reconcile/route.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "controller/reconcile/domains.h"
#include "controller/reconcile/host_rules.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/placeholder_services.h"
#include "controller/reconcile/rollout.h"
#include "controller/reconcile/routing_state.h"
#include "controller/reconcile/status_pass.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/duration.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

constexpr char kAllTrafficAssigned[] = "AllTrafficAssigned";
constexpr char kIngressReady[] = "IngressReady";
constexpr char kCertificateProvisioned[] = "CertificateProvisioned";

// "" for the main host, then each tag once, in order.
std::vector<std::string> TagsOf(const std::vector<TrafficTarget>& targets) {
  std::vector<std::string> tags = {""};
  for (const TrafficTarget& target : targets) {
    if (std::ranges::count(tags, target.tag) == 0) tags.push_back(target.tag);
  }
  return tags;
}

std::set<std::string> ClusterLocalServices(const ObjectsByName& services) {
  std::set<std::string> names;
  for (const auto& [name, service] : services) {
    if (api::LabelOf(*service, label::kVisibility) == kClusterLocal) names.insert(name);
  }
  return names;
}

// The URLs of the main host and of each tag. kInvalidArgument: a host is no valid name.
Result<std::map<std::string, std::string>> UrlsOf(const RouteInputs& in,
                                                  const std::vector<std::string>& tags,
                                                  const ServingConfig& config) {
  const Json& route = *in.route;
  const std::set<std::string> local =
      ClusterLocalTags(route, tags, ClusterLocalServices(in.services), config);
  std::map<std::string, std::string> urls;
  for (const std::string& tag : tags) {
    if (local.contains(tag)) {
      urls[tag] = ClusterUrl(ClusterHost(route, tag, config));
      continue;
    }
    const Result<std::string> host = ExternalHost(route, tag, config);
    if (!host) return host.error();
    urls[tag] = ExternalUrl(*host, config);
  }
  return urls;
}

// Where a target's requests go while a rollout is under way, else to its revision alone.
std::vector<RevisionShare> SharesOfTarget(const TrafficTarget& target, const Rollout& rollout) {
  if (target.latest.value_or(false)) {
    const ConfigurationRollout* found = rollout.Find(target.tag, target.configuration);
    if (found != nullptr && found->revisions.size() > 1) return found->revisions;
  }
  return {{target.revision, target.percent}};
}

Json TrafficStatus(const KeptRollout& assigned, const std::map<std::string, std::string>& urls) {
  Json traffic = Json::array();
  for (const TrafficTarget& target : assigned.targets) {
    for (const RevisionShare& share : SharesOfTarget(target, assigned.rollout)) {
      Json json = {{"revisionName", share.revision}, {"percent", share.percent}};
      if (target.latest) json["latestRevision"] = *target.latest;
      if (!target.tag.empty()) {
        json["tag"] = target.tag;
        json["url"] = urls.at(target.tag);
      }
      traffic.push_back(std::move(json));
    }
  }
  return traffic;
}

Nanos RolloutDurationOf(const Json& route, const ServingConfig& config) {
  std::string text = api::AnnotationOf(route, annotation::kRolloutDuration);
  if (text.empty()) text = api::AnnotationOf(route, annotation::kRolloutDurationOld);
  const Nanos own = api::ParseGoDuration(text).value_or(Nanos(0));
  return own >= Seconds(1) ? std::chrono::floor<Seconds>(own) : config.rollout_duration;
}

// When nothing is under way, all that follows a latest revision is where the status says.
Rollout SettledRollout(const RouteInputs& in) {
  std::vector<TrafficTarget> targets = ReadTraffic(api::ArrayAt(*in.route, {"status", "traffic"}));
  for (TrafficTarget& target : targets) {
    const auto revision = in.revisions.find(target.revision);
    if (revision == in.revisions.end()) {
      target.latest = false;
    } else {
      target.configuration = api::LabelOf(*revision->second, label::kConfiguration);
    }
  }
  return RolloutGoal(targets);
}

bool RoutedByStatus(const RouteInputs& in, const ServingConfig& config) {
  return in.programmed(Fingerprint(api::NamespaceOf(*in.route), HostRulesOf(*in.route, config)));
}

// How the traffic is divided from now on, on its way to where `targets` want it.
Rollout Roll(const RouteInputs& in, const std::vector<TrafficTarget>& targets,
             const ServingConfig& config, WallTime now, ReconcilePlan& plan) {
  const Rollout goal = RolloutGoal(targets);
  const Nanos duration = RolloutDurationOf(*in.route, config);
  if (duration <= Nanos(0)) return goal;
  const std::optional<KeptRollout> kept = ReadRollout(*in.route);
  Rollout previous = kept ? kept->rollout : SettledRollout(in);
  DropRevisions(previous, in.revisions);
  if (kept && RoutedByStatus(in, config)) ObserveRouted(previous, now, duration);
  RolloutStep step = StepRollout(goal, std::move(previous), now);
  if (step.next) plan.WakeNoLaterThan(*step.next);
  return std::move(step.rollout);
}

void MarkProblem(const TrafficProblem& problem, StatusPass& pass) {
  if (problem.failed) {
    pass.MarkFalse(kAllTrafficAssigned, problem.reason, problem.message);
  } else {
    pass.MarkUnknown(kAllTrafficAssigned, problem.reason, problem.message);
  }
}

// Ready once activators route by what the status says. What they were known to route by stays so
// while it is the same, so that nothing flickers when a restarted controller has not heard from
// them yet.
void JudgeIngress(const RouteInputs& in, const ServingConfig& config, StatusPass& pass) {
  const std::string ns = api::NamespaceOf(*in.route);
  const std::string wanted = Fingerprint(ns, HostRulesOf(pass.object(), config));
  const bool was_ready = api::IsConditionTrue(*in.route, kIngressReady);
  const bool same = wanted == Fingerprint(ns, HostRulesOf(*in.route, config));
  if ((was_ready && same) || in.programmed(wanted)) {
    pass.MarkTrue(kIngressReady);
  } else {
    pass.MarkUnknown(kIngressReady, "IngressNotConfigured", "Ingress has not yet been reconciled.");
  }
}

void Configure(const RouteInputs& in, const ServingConfig& config, WallTime now, StatusPass& pass,
               ReconcilePlan& plan) {
  const Json& route = *in.route;
  // Whatever was routed, it was not what a new generation asks for.
  if (api::ObservedGenerationOf(route) != api::GenerationOf(route)) {
    pass.MarkUnknown(kIngressReady, "IngressNotConfigured", "Ingress has not yet been reconciled.");
  }
  const AssignedTraffic traffic = AssignTraffic(route, in.configurations, in.revisions);
  const std::vector<std::string> tags = TagsOf(traffic.targets);
  const auto urls = UrlsOf(in, tags, config);
  if (!urls) {
    pass.MarkFalse(kAllTrafficAssigned, "ErrorConfig", urls.error().message);
    return;
  }
  pass.status()["url"] = urls->at("");
  if (traffic.problem) {
    // Traffic stays as it is until all that the spec names can take it.
    MarkProblem(*traffic.problem, pass);
    return;
  }
  pass.MarkTrue(kAllTrafficAssigned);
  pass.status()["address"] = {{"url", ClusterUrl(ClusterHost(route, "", config))}};
  if (const auto taken = PlanPlaceholderServices(route, tags, in.services, config, plan)) {
    pass.MarkFalse(
        kIngressReady, "NotOwned",
        "There is an existing placeholder Service " + InQuotes(*taken) + " that we do not own.");
    return;
  }
  const KeptRollout assigned = {Roll(in, traffic.targets, config, now, plan), traffic.targets};
  pass.status()["traffic"] = TrafficStatus(assigned, *urls);
  pass.MarkTrue(kCertificateProvisioned, "TLSNotEnabled", "external-domain-tls is not enabled");
  if (assigned.rollout.Done()) {
    EraseRollout(pass.status());
    JudgeIngress(in, config, pass);
  } else {
    WriteRollout(assigned, pass.status());
    pass.MarkUnknown(kIngressReady, "RolloutInProgress",
                     "A gradual rollout of the latest revision(s) is in progress.");
  }
}

}  // namespace

ReconcilePlan ReconcileRoute(const RouteInputs& in, const ServingConfig& config, WallTime now) {
  ReconcilePlan plan;
  StatusPass pass(*in.route, api::RouteConditions(), now);
  Configure(in, config, now, pass, plan);
  pass.Finish(KeyOf(*in.route, resource::kRoutes), plan);
  PlanRoutingState(pass.object(), in.configurations, in.revisions, now, plan);
  return plan;
}

}  // namespace updraft::controller
