// Traffic: from what a Route asks for to revisions that can take it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/json.h"

namespace updraft::controller {

struct TrafficTarget {
  std::string tag = {};
  std::string revision = {};
  std::string configuration = {};  // in a spec, and where a latest revision was found
  int64_t percent = 0;
  std::optional<bool> latest = std::nullopt;

  // `latest` says how the revision was found, not where traffic goes.
  bool operator==(const TrafficTarget& other) const {
    return tag == other.tag && revision == other.revision && configuration == other.configuration &&
           percent == other.percent;
  }
};

// `traffic`: an array as in a Route's spec or status.
std::vector<TrafficTarget> ReadTraffic(const Json& traffic);

// Adds `target`, or its percent to the entry that has the same tag, revision and way of finding it.
void MergeTarget(std::vector<TrafficTarget>& targets, TrafficTarget target);

// Objects of the route's namespace by name.
using ObjectsByName = std::map<std::string, std::shared_ptr<const Json>>;

// Why the traffic cannot be assigned, as the condition AllTrafficAssigned says it.
struct TrafficProblem {
  bool failed = false;  // False; else Unknown: it may come right by itself
  std::string reason = {};
  std::string message = {};
};

struct AssignedTraffic {
  // Each with a revision, and with its configuration where it is the latest of that; empty when
  // there is a problem.
  std::vector<TrafficTarget> targets = {};
  std::optional<TrafficProblem> problem = std::nullopt;
};

// `configurations` and `revisions` hold at least those that the route's spec names and the latest
// ready revisions of the former. What is not in them does not exist.
AssignedTraffic AssignTraffic(const Json& route, const ObjectsByName& configurations,
                              const ObjectsByName& revisions);

// A part of the requests to one host. See SharesOf (rollout.h).
struct RevisionShare {
  std::string revision = {};
  int64_t percent = 0;
  bool operator==(const RevisionShare&) const = default;
};

}  // namespace updraft::controller
