#include "autoscaler/config.h"

#include <yaml-cpp/yaml.h>

namespace updraft::autoscaler {

Result<std::map<std::string, std::string>> ReadDefaultsFile(const std::string& path) {
  try {
    YAML::Node top = YAML::LoadFile(path);
    const YAML::Node keys = top.IsMap() && top["data"] ? top["data"] : top;
    if (!keys.IsMap()) return Error{Code::kInvalidArgument, path + ": a map of config-autoscaler's keys is wanted"};
    return keys.as<std::map<std::string, std::string>>();
  } catch (const YAML::Exception& e) {
    return Error{Code::kInvalidArgument, path + ": " + e.what()};
  }
}

}  // namespace updraft::autoscaler
