// The machines, as they describe themselves and as their streams come and go. Pure.
//
//   kConnected ──stream breaks──▶ kInterrupted ──grace──▶ kSilent
//        ▲ └──────────── no message for the silence limit ───▲ │
//        └────────────────── inventory on a new stream ────────┘
//
// An interrupted node's agent has probably been restarted: its containers run on, and so does
// routing to them. A silent node is out of routing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "controller/instances/instance.h"
#include "core/base/clock.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

struct NodeTimeouts {
  Nanos interruption = Seconds(10);  // a broken stream that does not come back
  Nanos silence = Seconds(40);       // an open stream that says nothing
  Nanos replacement = Seconds(60);   // from silence to instances that are replaced elsewhere
};

enum class NodeHealth { kConnected, kInterrupted, kSilent };

struct Node {
  v1::NodeHello hello;
  v1::NodeStatus status;
  uint64_t stream = 0;       // the one that speaks for it; 0: none now
  bool inventoried = false;  // on this stream
  bool cordoned = false;     // by a user, spec.unschedulable
  TimePoint heard;           // last message, or when the stream broke
  WallTime joined_wall;
  WallTime heard_wall;
  WallTime health_since_wall;
  NodeHealth health = NodeHealth::kInterrupted;  // as last concluded; before its first inventory
  std::optional<TimePoint> silent_since;
  bool fenced = false;  // what its instances have been told of its silence
  bool lost = false;

  // Requests of the instances that were placed on it.
  int64_t cpu_used_millis = 0;
  int64_t memory_used_bytes = 0;
  std::set<InstanceId> instances;
};

// What the clock says of the node, as against what was last concluded (Node::health).
inline NodeHealth HealthNow(const Node& node, const NodeTimeouts& timeouts, TimePoint now) {
  if (node.stream == 0 || !node.inventoried) {
    if (node.health == NodeHealth::kSilent) return NodeHealth::kSilent;
    return now - node.heard >= timeouts.interruption ? NodeHealth::kSilent
                                                     : NodeHealth::kInterrupted;
  }
  return now - node.heard >= timeouts.silence ? NodeHealth::kSilent : NodeHealth::kConnected;
}

// When HealthNow() will next change by itself; nullopt: not before something is heard.
inline std::optional<TimePoint> HealthChangesAt(const Node& node, const NodeTimeouts& timeouts) {
  if (node.health == NodeHealth::kSilent) {
    return node.silent_since ? std::optional(*node.silent_since + timeouts.replacement)
                             : std::nullopt;
  }
  const bool connected = node.stream != 0 && node.inventoried;
  return node.heard + (connected ? timeouts.silence : timeouts.interruption);
}

using NodeTable = std::map<NodeName, Node>;

}  // namespace updraft::controller
