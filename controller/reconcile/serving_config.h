// What the platform is told about how to serve: parsed from flags and config-* ConfigMaps.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "core/base/clock.h"

namespace updraft::controller {

// config-gc: which revisions that no route refers to are kept. nullopt: disabled.
struct RevisionRetention {
  std::optional<Nanos> since_create = std::chrono::hours(48);
  std::optional<Nanos> since_last_active = std::chrono::hours(15);
  int non_active_min = 20;
  std::optional<int> non_active_max = 1000;
};

struct ServingConfig {
  std::string domain = "localhost";  // of external names: name.namespace.domain
  uint16_t http_port = 80;           // where activators listen, put in URLs unless it is 80
  uint16_t https_port = 443;         // the same for TLS
  std::string cluster_domain = "cluster.local";
  std::set<std::string> registries_skipping_tag_resolving = {"kind.local", "ko.local", "dev.local"};
  RevisionRetention retention = {};
  Nanos rollout_duration = Nanos(0);  // of routes that say nothing; 0: a new revision gets all at once
};

}  // namespace updraft::controller
