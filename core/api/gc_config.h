// ConfigMap config-gc: which revisions that no route refers to are kept. Pure.
#pragma once

#include <optional>

#include "core/api/config_reader.h"

namespace updraft::api {

// nullopt: disabled.
struct RevisionRetention {
  std::optional<Nanos> since_create = std::chrono::hours(48);
  std::optional<Nanos> since_last_active = std::chrono::hours(15);
  int64_t non_active_min = 20;
  std::optional<int64_t> non_active_max = 1000;

  bool operator==(const RevisionRetention&) const = default;

  // kInvalidArgument in Knative's words.
  static Result<RevisionRetention> Parse(const ConfigKeys& keys);
};

}  // namespace updraft::api
