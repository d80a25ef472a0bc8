// ConfigMap config-deployment: how revisions become instances. Pure.
#pragma once

#include <set>
#include <string>

#include "core/api/config_reader.h"

namespace updraft::api {

struct DeploymentConfig {
  Nanos progress_deadline = Seconds(600);
  Nanos digest_resolution_timeout = Seconds(10);
  std::set<std::string> registries_skipping_tag_resolving = {"kind.local", "ko.local", "dev.local"};
  bool pod_is_always_schedulable = false;  // no room for an instance is no failure of its revision

  bool operator==(const DeploymentConfig&) const = default;

  // Keys about the queue-proxy, affinity and runtime classes are checked and of no effect.
  // kInvalidArgument in Knative's words.
  static Result<DeploymentConfig> Parse(const ConfigKeys& keys);
};

}  // namespace updraft::api
