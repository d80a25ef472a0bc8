#include "controller/reconcile/route.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "controller/reconcile/domains.h"
#include "controller/reconcile/host_rules.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/placeholder_services.h"
#include "controller/reconcile/routing_state.h"
#include "controller/reconcile/status_pass.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
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
      ClusterLocalTags(route, tags, ClusterLocalServices(in.services));
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

Json TrafficStatus(const std::vector<TrafficTarget>& targets,
                   const std::map<std::string, std::string>& urls) {
  Json traffic = Json::array();
  for (const TrafficTarget& target : targets) {
    Json json = {{"revisionName", target.revision}, {"percent", target.percent}};
    if (target.latest) json["latestRevision"] = *target.latest;
    if (!target.tag.empty()) {
      json["tag"] = target.tag;
      json["url"] = urls.at(target.tag);
    }
    traffic.push_back(std::move(json));
  }
  return traffic;
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

void Configure(const RouteInputs& in, const ServingConfig& config, StatusPass& pass,
               ReconcilePlan& plan) {
  const Json& route = *in.route;
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
  pass.status()["traffic"] = TrafficStatus(traffic.targets, *urls);
  pass.MarkTrue(kCertificateProvisioned, "TLSNotEnabled", "external-domain-tls is not enabled");
  JudgeIngress(in, config, pass);
}

}  // namespace

ReconcilePlan ReconcileRoute(const RouteInputs& in, const ServingConfig& config, WallTime now) {
  ReconcilePlan plan;
  StatusPass pass(*in.route, api::RouteConditions(), now);
  Configure(in, config, pass, plan);
  pass.Finish(KeyOf(*in.route, resource::kRoutes), plan);
  PlanRoutingState(pass.object(), in.configurations, in.revisions, now, plan);
  return plan;
}

}  // namespace updraft::controller
