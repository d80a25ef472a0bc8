// registries.yaml: where registries are and how to speak to them. All of it is optional.
//
//   registries:
//     docker.io:                            # host[:port] as in image names
//       mirrors: ["https://mirror:5000"]    # tried in this order before the registry itself
//     registry.example.com:5000:
//       endpoint: https://10.0.0.7:5000     # instead of the host in the name
//       plain_http: true                    # no TLS
//       ca_file: /etc/updraft/ca.pem        # trusted beside the machine's own
//       insecure_skip_verify: true          # any certificate will do
//       username: ci
//       password: secret                    # or password_file: /etc/updraft/password
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace updraft::node_agent {

struct RegistrySettings {
  std::vector<std::string> mirrors;
  std::string endpoint;
  std::optional<bool> plain_http;
  std::string ca_file;
  bool insecure_skip_verify = false;
  std::string username;
  std::string password;
};

struct RegistriesConfig {
  std::map<std::string, RegistrySettings> registries;

  // Defaults for a registry that is not named. `host` as in image names.
  const RegistrySettings& For(const std::string& host) const;
};

// Errors name `origin` and the line.
Result<RegistriesConfig> ParseRegistries(std::string_view yaml, const std::string& origin);

// A missing file is an empty one.
Result<RegistriesConfig> ReadRegistries(const std::string& path);

}  // namespace updraft::node_agent
