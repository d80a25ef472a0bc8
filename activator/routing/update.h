// What the controller says about routes, revisions and endpoints, as routing.proto has it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "activator/queue/instance.h"
#include "activator/routing/revision_settings.h"

namespace updraft::activator {

struct SplitUpdate {
  std::string revision = {};
  uint32_t percent = 0;

  bool operator==(const SplitUpdate&) const = default;
};

struct HostUpdate {
  std::string host = {};
  std::vector<SplitUpdate> splits = {};
  std::string tag = {};
  bool cluster_local = false;

  bool operator==(const HostUpdate&) const = default;
};

// PEM.
struct CertificateUpdate {
  std::string chain = {};
  std::string key = {};

  bool operator==(const CertificateUpdate&) const = default;
};

struct RouteUpdate {
  std::string key = {};
  std::vector<HostUpdate> hosts = {};
  bool https_only = false;
  CertificateUpdate certificate = {};  // empty: none of its own

  bool operator==(const RouteUpdate&) const = default;
};

struct EndpointUpdate {
  InstanceAddress address = {};
  bool draining = false;
};

struct EndpointsUpdate {
  std::string revision = {};
  bool known = false;  // false: the controller does not know all of them yet
  std::vector<EndpointUpdate> endpoints = {};
};

struct RevisionSlotsUpdate {
  std::string revision = {};
  std::optional<uint32_t> share = std::nullopt;  // to come down to; nullopt: keep what there is
  std::vector<std::pair<std::string, uint32_t>> granted = {};  // by instance: in all, in the epoch
};

// Others hold slots, too.
struct SharingUpdate {
  int64_t epoch = 0;
  std::vector<RevisionSlotsUpdate> revisions = {};
  std::vector<std::string> forgotten = {};  // instances
};

struct RoutingUpdate {
  bool full = false;  // replaces all that was said before
  std::vector<RevisionSettings> revisions = {};
  std::vector<EndpointsUpdate> endpoints = {};
  std::vector<RouteUpdate> routes = {};
  std::vector<std::string> removed_routes = {};
  std::vector<std::string> removed_revisions = {};
  std::optional<SharingUpdate> sharing = std::nullopt;  // nullopt: nobody else holds slots
};

}  // namespace updraft::activator
