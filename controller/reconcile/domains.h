// The host names of a route. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controller/reconcile/serving_config.h"
#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::controller {

// "hello", or what tag-template makes of it for a tag, "blue-hello": what the placeholder Service is
// called as well.
std::string HostLabel(const Json& route, std::string_view tag, const ServingConfig& config);

// What config-domain selects for the route, or the platform's own.
std::string DomainOf(const Json& route, const ServingConfig& config);

// name.namespace.svc.cluster.local
std::string ClusterHost(const Json& route, std::string_view tag, const ServingConfig& config);

// What domain-template makes of it: name.namespace.domain. kInvalidArgument: it is no valid domain
// name (a part is too long, say).
Result<std::string> ExternalHost(const Json& route, std::string_view tag,
                                 const ServingConfig& config);

// With the port, unless it is the scheme's own. Cluster-local hosts are never given one.
std::string ExternalUrl(const std::string& host, const ServingConfig& config);
// The same under TLS.
std::string ExternalHttpsUrl(const std::string& host, const ServingConfig& config);
std::string ClusterUrl(const std::string& host);

// The tags ("" for the main host) that only the cluster may call: by the visibility label of the
// route or of a tag's placeholder Service, or because the route's domain is the cluster's own.
// `cluster_local_services`: the names of such placeholder Services, as they are now.
std::set<std::string> ClusterLocalTags(const Json& route, const std::vector<std::string>& tags,
                                       const std::set<std::string>& cluster_local_services,
                                       const ServingConfig& config);

}  // namespace updraft::controller
