#include "controller/reconcile/domains.h"

#include "controller/reconcile/keys.h"
#include "core/api/meta.h"
#include "core/api/names.h"

namespace updraft::controller {

std::string HostLabel(std::string_view route, std::string_view tag) {
  return tag.empty() ? std::string(route) : std::string(tag) + "-" + std::string(route);
}

std::string ClusterHost(const Json& route, std::string_view tag, const ServingConfig& config) {
  return HostLabel(api::NameOf(route), tag) + "." + api::NamespaceOf(route) + ".svc." +
         config.cluster_domain;
}

Result<std::string> ExternalHost(const Json& route, std::string_view tag,
                                 const ServingConfig& config) {
  const std::string label = HostLabel(api::NameOf(route), tag);
  std::string host = label + "." + api::NamespaceOf(route) + "." + config.domain;
  api::Complaints complaints = api::CheckDns1123Subdomain(host);
  if (complaints.empty()) complaints = api::CheckDns1123Label(label);
  if (complaints.empty()) return host;
  return Error{Code::kInvalidArgument, "domain name error: invalid domain name " + InQuotes(host) +
                                           ": " + complaints.front()};
}

std::string ExternalUrl(const std::string& host, const ServingConfig& config) {
  const std::string port = config.http_port == 80 ? "" : ":" + std::to_string(config.http_port);
  return "http://" + host + port;
}

std::string ExternalHttpsUrl(const std::string& host, const ServingConfig& config) {
  const std::string port = config.https_port == 443 ? "" : ":" + std::to_string(config.https_port);
  return "https://" + host + port;
}

std::string ClusterUrl(const std::string& host) { return "http://" + host; }

std::set<std::string> ClusterLocalTags(const Json& route, const std::vector<std::string>& tags,
                                       const std::set<std::string>& cluster_local_services) {
  const bool all = api::LabelOf(route, label::kVisibility) == kClusterLocal;
  std::set<std::string> local;
  for (const std::string& tag : tags) {
    if (all || cluster_local_services.contains(HostLabel(api::NameOf(route), tag)))
      local.insert(tag);
  }
  return local;
}

}  // namespace updraft::controller
