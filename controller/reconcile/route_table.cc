#include "controller/reconcile/route_table.h"

#include <algorithm>
#include <cctype>

#include "controller/reconcile/host_rules.h"
#include "controller/reconcile/keys.h"
#include "core/api/meta.h"

namespace updraft::controller {

bool IsHttpsOnly(const Json& object, const ServingConfig& config) {
  std::string protocol = api::AnnotationOf(object, annotation::kHttpProtocol);
  if (protocol.empty()) protocol = api::AnnotationOf(object, annotation::kHttpProtocolOld);
  if (protocol.empty())
    return config.network.http_protocol == api::NetworkConfig::HttpProtocol::kRedirected;
  std::ranges::transform(protocol, protocol.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return protocol == "redirected";
}

void AddSplits(const std::string& ns, const std::vector<RevisionShare>& shares,
               v1::HostRule& host) {
  for (const RevisionShare& share : shares) {
    v1::Split& split = *host.add_splits();
    split.set_revision(ns + "/" + share.revision);
    split.set_percent(static_cast<uint32_t>(share.percent));
  }
}

v1::Route BuildRoute(const Json& route, const ServingConfig& config) {
  const std::string ns = api::NamespaceOf(route);
  v1::Route message;
  message.set_key(ns + "/" + api::NameOf(route));
  message.set_https_only(IsHttpsOnly(route, config));
  for (const HostRule& rule : HostRulesOf(route, config)) {
    v1::HostRule& host = *message.add_hosts();
    host.set_host(rule.host);
    host.set_tag(rule.tag);
    host.set_cluster_local(rule.cluster_local);
    AddSplits(ns, rule.shares, host);
  }
  return message;
}

std::string RouteFingerprint(const v1::Route& route) {
  std::vector<HostRule> rules;
  const std::string ns = route.key().substr(0, route.key().find('/'));
  for (const v1::HostRule& host : route.hosts()) {
    HostRule rule{.host = host.host(), .tag = host.tag(), .cluster_local = host.cluster_local()};
    for (const v1::Split& split : host.splits()) {
      rule.shares.push_back(
          {split.revision().substr(split.revision().find('/') + 1), split.percent()});
    }
    rules.push_back(std::move(rule));
  }
  return Fingerprint(ns, rules);
}

}  // namespace updraft::controller
