#include "node-agent/image/registry_endpoints.h"

#include <algorithm>

#include "node-agent/image/reference.h"

namespace updraft::node_agent {
namespace {

std::string HostOfUrl(const std::string& url) {
  const std::string rest = url.substr(url.find("://") + 3);
  return rest.substr(0, rest.find('/'));
}

RegistryEndpoint OwnEndpoint(const RegistriesConfig& config, const std::string& registry) {
  const RegistrySettings& settings = config.For(registry);
  if (!settings.endpoint.empty()) {
    return {.url = settings.endpoint, .host = HostOfUrl(settings.endpoint)};
  }
  const std::string host = registry == "docker.io" ? "registry-1.docker.io" : registry;
  if (settings.plain_http.has_value()) {
    return {.url = (*settings.plain_http ? "http://" : "https://") + host, .host = host};
  }
  return {
      .url = "https://" + host, .host = host, .plain_http_fallback = IsLoopbackRegistry(registry)};
}

}  // namespace

std::vector<RegistryEndpoint> EndpointsFor(const RegistriesConfig& config,
                                           const std::string& registry) {
  std::vector<RegistryEndpoint> endpoints;
  for (const std::string& mirror : config.For(registry).mirrors) {
    endpoints.push_back({.url = mirror, .host = HostOfUrl(mirror), .mirror = true});
  }
  endpoints.push_back(OwnEndpoint(config, registry));
  return endpoints;
}

std::string NormalisedRegistry(std::string_view text) {
  if (const size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    text = text.substr(scheme + 3);
  }
  text = text.substr(0, text.find('/'));
  if (text == "index.docker.io" || text == "registry-1.docker.io") return "docker.io";
  return std::string(text);
}

std::vector<RegistryCredential> CredentialsFor(const RegistriesConfig& config,
                                               const std::string& registry,
                                               const std::vector<RegistryCredential>& offered) {
  std::vector<RegistryCredential> chosen;
  const auto add = [&chosen](const RegistryCredential& credential) {
    if (credential.username.empty() && credential.identity_token.empty()) return;
    if (std::ranges::find(chosen, credential) == chosen.end()) chosen.push_back(credential);
  };
  for (const RegistryCredential& credential : offered) {
    if (NormalisedRegistry(credential.registry) == registry) add(credential);
  }
  for (const RegistryCredential& credential : offered) {
    if (credential.registry.empty()) add(credential);
  }
  const RegistrySettings& settings = config.For(registry);
  add({.registry = registry,
       .username = settings.username,
       .password = settings.password,
       .identity_token = ""});
  return chosen;
}

}  // namespace updraft::node_agent
