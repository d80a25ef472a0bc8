// Which URLs stand for a registry, and who may be told which password.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node-agent/image/registries_config.h"

namespace updraft::node_agent {

// A user's password for a registry: from a pull secret, or from registries.yaml.
struct RegistryCredential {
  std::string registry;  // host[:port], also as Docker's config writes it; empty: for any registry
  std::string username = {};
  std::string password = {};
  std::string identity_token = {};  // instead of a password, for the token service
  bool operator==(const RegistryCredential&) const = default;
};

struct RegistryEndpoint {
  std::string url;                   // "https://host:port", no slash at the end
  std::string host;                  // host[:port]: what people read, and the key to settings
  bool plain_http_fallback = false;  // try http:// where there is no TLS
  bool mirror = false;               // stands in for another registry

  bool operator==(const RegistryEndpoint&) const = default;
};

// In the order to try; never empty.
std::vector<RegistryEndpoint> EndpointsFor(const RegistriesConfig& config,
                                           const std::string& registry);

// Those of `offered` that are meant for `registry`, then the configured one; without doubles. An
// exact match comes before one for any registry.
std::vector<RegistryCredential> CredentialsFor(const RegistriesConfig& config,
                                               const std::string& registry,
                                               const std::vector<RegistryCredential>& offered);

// "registry.example.com" of "https://registry.example.com/v1/": the forms that Docker's config has.
std::string NormalisedRegistry(std::string_view text);

}  // namespace updraft::node_agent
