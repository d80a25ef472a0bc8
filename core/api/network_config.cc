#include "core/api/network_config.h"

#include <algorithm>

#include "core/api/field_error.h"
#include "core/api/read.h"
#include "core/base/check.h"

namespace updraft::api {
namespace {

constexpr char kDomainTemplate[] = "{{.Name}}.{{.Namespace}}.{{.Domain}}";
constexpr char kTagTemplate[] = "{{.Tag}}-{{.Name}}";

Error Refuse(std::string why) { return {Code::kInvalidArgument, std::move(why)}; }

GoTemplate MustParse(const char* name, const char* text) {
  Result<GoTemplate> parsed = GoTemplate::Parse(name, text);
  UPDRAFT_CHECK(parsed);
  return *std::move(parsed);
}

std::string ValueOf(const ConfigKeys& keys, const std::string& key) {
  const auto found = keys.find(key);
  return found == keys.end() ? "" : found->second;
}

// Values of which Knative takes two, and of which neither has an effect here.
Status CheckTls(const ConfigKeys& keys, const std::string& key) {
  const std::string value = ValueOf(keys, key);
  if (value.empty() || EqualFold(value, "enabled") || EqualFold(value, "disabled")) return Ok();
  return Refuse(key + " with value: " + Quoted(value) +
                " in config-network ConfigMap is not supported");
}

// What comes of it must look like a host.
Status CheckHost(const NetworkConfig& config) {
  const auto host = config.DomainName({.name = "foo", .ns = "bar", .domain = "baz.com"});
  if (!host) return host.error();
  const auto unreadable = [&host](const std::string& why) {
    return Refuse("parse " + Quoted("https://" + *host) + ": " + why);
  };
  if (std::ranges::any_of(*host, [](unsigned char c) { return c < ' ' || c == 0x7f; }))
    return unreadable("net/url: invalid control character in URL");
  if (host->find('[') != std::string::npos && host->find(']') == std::string::npos)
    return unreadable("missing ']' in host");
  const size_t colon = host->find_first_of("/?#:");
  if (colon != std::string::npos && (*host)[colon] == ':') {
    const std::string port = host->substr(colon, host->find_first_of("/?#", colon) - colon);
    if (port.find_first_not_of("0123456789", 1) != std::string::npos)
      return unreadable("invalid port " + Quoted(port) + " after host");
  }
  if (const size_t odd = host->substr(0, colon).find_first_of(" \\^`{|}"); odd != std::string::npos)
    return unreadable("invalid character " + Quoted(host->substr(odd, 1)) + " in host name");
  const size_t end = host->find_first_of("/?#:");
  if (host->substr(0, end).empty()) return Refuse("empty hostname");
  if (end != std::string::npos && ((*host)[end] == '/' || (*host)[end] == '?'))
    return Refuse("domain template has url path: " +
                  ((*host)[end] == '?' ? "/" + host->substr(end) : host->substr(end)));
  return Ok();
}

Status ReadHttpProtocol(const ConfigKeys& keys, NetworkConfig::HttpProtocol& into) {
  using HttpProtocol = NetworkConfig::HttpProtocol;
  std::string value = ValueOf(keys, "httpProtocol");
  if (keys.contains("http-protocol")) value = ValueOf(keys, "http-protocol");
  if (value.empty() || EqualFold(value, "enabled")) return Ok();
  if (!EqualFold(value, "disabled") && !EqualFold(value, "redirected"))
    return Refuse("httpProtocol " + ValueOf(keys, "http-protocol") +
                  " in config-network ConfigMap is not supported");
  into = EqualFold(value, "disabled") ? HttpProtocol::kDisabled : HttpProtocol::kRedirected;
  return Ok();
}

// Read alone: it selects nothing here.
Status CheckSelector(const ConfigKeys& keys) {
  const std::string text = ValueOf(keys, "namespace-wildcard-cert-selector");
  if (text.empty()) return Ok();
  const auto read = ReadYaml(text);
  if (!read) return Refuse("error converting YAML to JSON: " + read.error().message);
  if (!read->empty() && !read->front().value.is_object() && !read->front().value.is_null())
    return Refuse(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value "
        "of type v1.LabelSelector");
  return Ok();
}

}  // namespace

NetworkConfig::NetworkConfig() {
  static const GoTemplate domain = MustParse("domain-template", kDomainTemplate);
  static const GoTemplate tag = MustParse("tag-template", kTagTemplate);
  domain_template_ = domain;
  tag_template_ = tag;
}

Result<NetworkConfig> NetworkConfig::Parse(const ConfigKeys& keys) {
  NetworkConfig config;
  std::string ignored;
  bool unused = false;
  std::string domain_template = kDomainTemplate;
  std::string tag_template = kTagTemplate;
  int64_t rollout_seconds = 0;
  KeyReader reader(keys);
  reader.ReadWithOldName("ingress.class", "ingress-class", ignored);
  reader.ReadWithOldName("certificate.class", "certificate-class", ignored);
  reader.ReadWithOldName("domainTemplate", "domain-template", domain_template);
  reader.ReadWithOldName("tagTemplate", "tag-template", tag_template);
  reader.ReadWithOldName("rolloutDuration", "rollout-duration", rollout_seconds);
  reader.ReadWithOldName("autocreateClusterDomainClaims", "autocreate-cluster-domain-claims",
                         config.autocreate_cluster_domain_claims);
  reader.Read("enable-mesh-pod-addressability", unused);
  reader.ReadWithOldName("defaultExternalScheme", "default-external-scheme",
                         config.default_external_scheme);
  reader.Read("internal-encryption", unused);
  if (reader.failure()) return *reader.failure();
  if (Status checked = CheckSelector(keys); !checked) return checked.error();
  if (rollout_seconds < 0) {
    return Refuse("rollout-duration must be a positive integer, but was " +
                  std::to_string(rollout_seconds));
  }
  constexpr int64_t kSecondsMax = 100LL * 365 * 24 * 3600;  // beyond it, Nanos would overflow
  config.rollout_duration = Seconds(std::min(rollout_seconds, kSecondsMax));

  Result<GoTemplate> domain = GoTemplate::Parse("domain-template", domain_template);
  if (!domain) return domain.error();
  config.domain_template_ = *std::move(domain);
  if (Status checked = CheckHost(config); !checked) return checked.error();
  Result<GoTemplate> tag = GoTemplate::Parse("tag-template", tag_template);
  if (!tag) return tag.error();
  config.tag_template_ = *std::move(tag);
  if (const auto name = config.TaggedName("foo", "v2"); !name) return name.error();

  if (Status read = ReadHttpProtocol(keys, config.http_protocol); !read) return read.error();
  for (const char* key : {"system-internal-tls", "cluster-local-domain-tls"}) {
    if (Status checked = CheckTls(keys, key); !checked) return checked.error();
  }
  return config;
}

Result<std::string> NetworkConfig::DomainName(const DomainTemplateValues& values) const {
  TemplateData data{.type = "config.DomainTemplateValues"};
  data.fields = {{"Name", values.name},
                 {"Namespace", values.ns},
                 {"Domain", values.domain},
                 {"Annotations", values.annotations},
                 {"Labels", values.labels}};
  return domain_template_.Execute(data);
}

Result<std::string> NetworkConfig::TaggedName(const std::string& name,
                                              const std::string& tag) const {
  TemplateData data{.type = "config.TagTemplateValues"};
  data.fields = {{"Name", name}, {"Tag", tag}};
  return tag_template_.Execute(data);
}

}  // namespace updraft::api
