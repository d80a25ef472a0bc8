// The hosts of a route and where their requests go, read from its status. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/reconcile/serving_config.h"
#include "controller/reconcile/traffic.h"
#include "core/api/json.h"

namespace updraft::controller {

struct HostRule {
  std::string host = {};  // lower case, no port
  std::string tag = {};   // empty: the route's main host
  bool cluster_local = false;
  std::vector<RevisionShare> shares = {};  // names without namespace
};

// Empty while the route's traffic was never assigned. The external name is the host of the URL in
// the status; one within the cluster's domain gives no rule of its own.
std::vector<HostRule> HostRulesOf(const Json& route, const ServingConfig& config);

// Sixteen hexadecimal digits that differ when the rules do. `ns`: of the route.
std::string Fingerprint(std::string_view ns, const std::vector<HostRule>& rules);

}  // namespace updraft::controller
