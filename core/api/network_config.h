// ConfigMap config-network: the names of routes, and how they are reached. Pure.
#pragma once

#include <string>

#include "core/api/config_reader.h"
#include "core/api/go_template.h"

namespace updraft::api {

// A route as domain-template sees it.
struct DomainTemplateValues {
  std::string name = {};  // with the tag: what tag-template gives
  std::string ns = {};
  std::string domain = {};
  TemplateMap annotations = {};
  TemplateMap labels = {};
};

class NetworkConfig {
 public:
  enum class HttpProtocol { kEnabled, kDisabled, kRedirected };

  NetworkConfig();
  // kInvalidArgument in Knative's words.
  static Result<NetworkConfig> Parse(const ConfigKeys& keys);

  // kInvalidArgument: a template asks for what there is not.
  Result<std::string> DomainName(const DomainTemplateValues& values) const;
  Result<std::string> TaggedName(const std::string& name, const std::string& tag) const;

  Nanos rollout_duration = Nanos(0);
  bool autocreate_cluster_domain_claims = false;
  std::string default_external_scheme = "http";
  HttpProtocol http_protocol = HttpProtocol::kEnabled;

 private:
  GoTemplate domain_template_;
  GoTemplate tag_template_;
};

}  // namespace updraft::api
