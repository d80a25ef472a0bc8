// An instance as the controller knows it: soft state, made from what was decided here and from what
// its node says. Lost with the process and rebuilt from the nodes' inventories.
//
//   intent    kRun ──▶ kDrain ──▶ kStop ──▶ (gone)
//                └──────────────────▲   nothing can be in flight: it was never in routing
//
// An intent never goes back: an instance that leaves routing does not return to it, so that what an
// activator says about its requests cannot be outdated.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/base/clock.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

using RevisionKey = std::string;  // "namespace/name"
using InstanceId = std::string;   // also the pod's name
using NodeName = std::string;
using ActivatorId = std::string;

enum class Intent {
  kRun,
  kDrain,  // takes no new request; its activators are asked to finish theirs
  kStop,   // its node is told to stop it
};

// What it uses of its node, between its last two readings.
struct UsageMeter {
  int64_t cpu_ns = 0;  // as read last
  int64_t at_ns = 0;
  std::optional<int64_t> cpu_millis;
  int64_t memory_bytes = 0;
};

struct Instance {
  InstanceId id;
  RevisionKey revision;
  NodeName node;  // empty: no node was found yet, see report.failure()
  Intent intent = Intent::kRun;
  v1::InstancePhase phase = v1::INSTANCE_PENDING;
  bool adopted = false;     // its node had it before we knew of it
  bool reported = false;    // its node has said something about it
  bool was_ready = false;   // once, ever
  bool in_routing = false;  // activators have been told of it
  bool fenced = false;      // its node is silent: no requests go to it
  bool lost = false;        // silent for so long, with other nodes at hand, that it is replaced
  bool crash_loops = false;  // since it was ready last, if ever
  bool evicted = false;     // a user wants it gone from its node: it is replaced, then drained
  TimePoint created;        // adopted ones: when they became known here
  WallTime created_wall;
  TimePoint intent_since;
  std::shared_ptr<const v1::InstanceSpec> spec;  // null until it is placed
  v1::InstanceReport report;                     // the last one
  v1::ColdStart cold_start;                      // what all programs have said of it
  std::set<ActivatorId> drained_by;  // since its endpoint was last announced as draining
  std::map<ActivatorId, uint32_t> in_flight;  // requests inside, as activators said last; idle ones are left out
  UsageMeter usage;
};

// Takes requests, as far as its node and our intent go.
inline bool Ready(const Instance& instance) {
  return instance.phase == v1::INSTANCE_READY && instance.intent == Intent::kRun &&
         !instance.fenced;
}

// Requests inside it, as far as is known: activators say once a second what has changed.
inline uint32_t RequestsInside(const Instance& instance) {
  uint32_t sum = 0;
  for (const auto& [activator, count] : instance.in_flight) sum += count;
  return sum;
}

// Crashed or could not be started.
inline bool Failing(const Instance& instance) {
  return instance.intent == Intent::kRun &&
         (instance.phase == v1::INSTANCE_BACKOFF || instance.phase == v1::INSTANCE_FAILED);
}

// On its way to its first request, or back from a failed probe or a silent node.
inline bool Starting(const Instance& instance) {
  return instance.intent == Intent::kRun && !Failing(instance) && !Ready(instance);
}

// Activators have it as an endpoint, taking requests or finishing them.
inline bool MayHoldRequests(const Instance& instance) {
  if (!instance.in_routing || instance.fenced || instance.report.ip().empty()) return false;
  return instance.phase == v1::INSTANCE_READY || instance.phase == v1::INSTANCE_UNREADY ||
         instance.phase == v1::INSTANCE_STOPPING;
}

// Has not taken a request yet, and may be too slow to ever do.
inline bool AwaitsReadiness(const Instance& instance) {
  return !instance.was_ready &&
         (instance.phase == v1::INSTANCE_PENDING || instance.phase == v1::INSTANCE_STARTING);
}

// Uses its node's resources.
inline bool OnNode(const Instance& instance) {
  return !instance.node.empty() && instance.phase != v1::INSTANCE_FAILED;
}

}  // namespace updraft::controller
