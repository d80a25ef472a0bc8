// What the autoscaler is told when it starts.
#pragma once

#include <map>
#include <string>

#include "core/base/result.h"

namespace updraft::autoscaler {

struct Config {
  std::string grpc_address = "unix:/run/updraft/autoscaler.sock";  // LoadService
  std::string controller = "unix:/run/updraft/controller.sock";    // DecisionService
  std::string metrics_address = "127.0.0.1:9191";
  std::string defaults_file;  // YAML: keys of Knative's config-autoscaler; empty: Knative's defaults
  std::string log_level = "info";
};

// The keys of a flat YAML map, or of the `data` of a ConfigMap. kInvalidArgument with the place of the fault.
Result<std::map<std::string, std::string>> ReadDefaultsFile(const std::string& path);

}  // namespace updraft::autoscaler
