// What the platform is told about how to serve: parsed from flags and config-* ConfigMaps.
#pragma once

#include <cstdint>
#include <string>

#include "core/api/deployment_config.h"
#include "core/api/domain_config.h"
#include "core/api/gc_config.h"
#include "core/api/network_config.h"

namespace updraft::controller {

using api::RevisionRetention;

struct ServingConfig {
  std::string domain = "localhost";  // of external names, where config-domain selects none
  uint16_t http_port = 80;           // where activators listen, put in URLs unless it is 80
  uint16_t https_port = 443;         // the same for TLS
  std::string cluster_domain = "cluster.local";
  api::NetworkConfig network = {};
  api::DomainConfig domains = {};
  api::DeploymentConfig deployment = {};
  RevisionRetention retention = {};
  Nanos rollout_duration = Nanos(0);  // of routes that say nothing; 0: a new revision gets all at once
  std::string revision_url_template = {};  // of a revision's logs, with ${REVISION_UID}; empty: none
};

}  // namespace updraft::controller
