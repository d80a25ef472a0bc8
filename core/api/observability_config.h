// ConfigMap config-observability: where the logs of a revision are found, and what is logged of requests. Pure.
#pragma once

#include <string>

#include "core/api/config_reader.h"

namespace updraft::api {

struct ObservabilityConfig {
  std::string revision_url_template = {};  // with ${REVISION_UID}; empty: revisions have no log URL

  bool request_log = false;
  std::string request_log_template = {};  // empty: the default, JSON

  bool operator==(const ObservabilityConfig&) const = default;

  // All other keys are checked and of no effect. kInvalidArgument in Knative's words.
  static Result<ObservabilityConfig> Parse(const ConfigKeys& keys);
};

}  // namespace updraft::api
