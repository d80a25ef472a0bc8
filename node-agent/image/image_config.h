// The part of an image's config that says how to run it.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "node-agent/image/manifest.h"

namespace updraft::node_agent {

struct ImageConfig {
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> env;  // NAME=value
  std::string user;              // "", "1000", "name:group", ...
  std::string working_dir;
  std::vector<std::string> exposed_ports;  // "8080/tcp"
  std::vector<std::string> volumes;        // paths
  std::string stop_signal;                 // "SIGTERM", "15", or empty
  std::map<std::string, std::string> labels;
  Platform platform;
  std::vector<std::string> diff_ids;  // of the layers, uncompressed, lowest first
};

Result<ImageConfig> ParseImageConfig(std::string_view bytes);

}  // namespace updraft::node_agent
