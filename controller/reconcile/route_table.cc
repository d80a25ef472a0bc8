#include "controller/reconcile/route_table.h"

#include "controller/reconcile/host_rules.h"
#include "core/api/meta.h"

namespace updraft::controller {

v1::Route BuildRoute(const Json& route, const ServingConfig& config) {
  const std::string ns = api::NamespaceOf(route);
  v1::Route message;
  message.set_key(ns + "/" + api::NameOf(route));
  for (const HostRule& rule : HostRulesOf(route, config)) {
    v1::HostRule& host = *message.add_hosts();
    host.set_host(rule.host);
    host.set_tag(rule.tag);
    host.set_cluster_local(rule.cluster_local);
    for (const RevisionShare& share : rule.shares) {
      v1::Split& split = *host.add_splits();
      split.set_revision(ns + "/" + share.revision);
      split.set_percent(static_cast<uint32_t>(share.percent));
    }
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
