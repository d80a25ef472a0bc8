#include "controller/reconcile/domains.h"

#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/names.h"
#include "core/api/serving_config.h"

namespace updraft::controller {
namespace {

// Of a fully qualified domain name; empty: nothing.
std::string WrongWith(const std::string& host) {
  const auto invalid = [](std::string_view value, const std::string& why) {
    return "url: Invalid value: " + InQuotes(value) + ": " + why;
  };
  const api::Complaints complaints = api::CheckDns1123Subdomain(host);
  if (!complaints.empty()) return invalid(host, complaints.front());
  if (host.find('.') == std::string::npos)
    return invalid(host, "should be a domain with at least two segments separated by dots");
  for (std::string_view rest = host;;) {
    const size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    if (const api::Complaints wrong = api::CheckDns1123Label(part); !wrong.empty())
      return invalid(part, wrong.front());
    if (dot == std::string_view::npos) return {};
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string HostLabel(const Json& route, std::string_view tag, const ServingConfig& config) {
  const std::string name = api::NameOf(route);
  if (tag.empty()) return name;
  const Result<std::string> tagged = config.network.TaggedName(name, std::string(tag));
  // A template that was taken names every tag.
  return tagged ? *tagged : std::string(tag) + "-" + name;
}

std::string DomainOf(const Json& route, const ServingConfig& config) {
  const std::string domain =
      config.domains.DomainFor(api::TextsOf(api::ObjectAt(route, {"metadata", "labels"})));
  return domain.empty() ? config.domain : domain;
}

std::string ClusterHost(const Json& route, std::string_view tag, const ServingConfig& config) {
  return HostLabel(route, tag, config) + "." + api::NamespaceOf(route) + ".svc." +
         config.cluster_domain;
}

Result<std::string> ExternalHost(const Json& route, std::string_view tag,
                                 const ServingConfig& config) {
  const Result<std::string> host = config.network.DomainName(
      {.name = HostLabel(route, tag, config),
       .ns = api::NamespaceOf(route),
       .domain = DomainOf(route, config),
       .annotations = api::TextsOf(api::ObjectAt(route, {"metadata", "annotations"})),
       .labels = api::TextsOf(api::ObjectAt(route, {"metadata", "labels"}))});
  if (!host) return Context("domain name error: error executing the DomainTemplate", host.error());
  const std::string complaint = WrongWith(*host);
  if (complaint.empty()) return *host;
  return Error{Code::kInvalidArgument,
               "domain name error: invalid domain name " + InQuotes(*host) + ": " + complaint};
}

std::string ExternalUrl(const std::string& host, const ServingConfig& config) {
  if (config.network.default_external_scheme == "https") return ExternalHttpsUrl(host, config);
  const std::string port = config.http_port == 80 ? "" : ":" + std::to_string(config.http_port);
  return "http://" + host + port;
}

std::string ExternalHttpsUrl(const std::string& host, const ServingConfig& config) {
  const std::string port = config.https_port == 443 ? "" : ":" + std::to_string(config.https_port);
  return "https://" + host + port;
}

std::string ClusterUrl(const std::string& host) { return "http://" + host; }

std::set<std::string> ClusterLocalTags(const Json& route, const std::vector<std::string>& tags,
                                       const std::set<std::string>& cluster_local_services,
                                       const ServingConfig& config) {
  const bool all = api::LabelOf(route, label::kVisibility) == kClusterLocal ||
                   DomainOf(route, config).ends_with(config.cluster_domain);
  std::set<std::string> local;
  for (const std::string& tag : tags) {
    if (all || cluster_local_services.contains(HostLabel(route, tag, config))) local.insert(tag);
  }
  return local;
}

}  // namespace updraft::controller
