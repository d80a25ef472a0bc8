// The controller's soft state as one machine: which instances there are, which there should be, and
// what has to be told to whom. Pure: events in, changes out, time and randomness handed in.
//
//   revisions (store) ─┐
//   decisions (autoscaler) ─┤                ┌─▶ orders to nodes
//   inventories, reports (nodes) ─┼─▶ Fleet ─┼─▶ endpoints to activators, counts to the autoscaler
//   drained (activators) ─┘                  └─▶ pods, events, statuses
//
// Events only note what happened and which revisions it concerns; Settle() then looks at each of
// those once and decides, level-triggered. Its caller carries the changes out in the order in which
// they are given. Nothing is started or stopped for a revision before all known nodes have said
// what they run (RestartGate) and the autoscaler has decided; instances of revisions that are gone
// are stopped.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/instances/drain.h"
#include "controller/instances/giving_up.h"
#include "controller/instances/instance.h"
#include "controller/instances/instance_name.h"
#include "controller/instances/instance_table.h"
#include "controller/instances/plan.h"
#include "controller/instances/restart_gate.h"
#include "controller/instances/revision_spec.h"
#include "controller/nodes/node_table.h"
#include "controller/placement/place.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "updraft/v1/node.pb.h"
#include "updraft/v1/routing.pb.h"
#include "updraft/v1/scaling.pb.h"

namespace updraft::controller {

struct FleetOptions {
  NodeTimeouts nodes;
  Nanos restart_patience = Seconds(10);    // for nodes that were known and have not come back
  Nanos activator_patience = Seconds(10);  // for activators, likewise
  BackoffPolicy start_backoff = {.first = Millis(500), .most = Seconds(60)};
  std::set<NodeName> expected_nodes;      // that were part of the platform before this process
  int instances_per_revision_max = 5000;  // whatever is decided
};

struct Moment {
  TimePoint now;
  WallTime wall;
};

struct NodeOrder {
  NodeName node;
  v1::ControllerMessage message;
};

// What `kubectl describe pod` shows at its end.
struct InstanceEvent {
  enum class Type { kNormal, kWarning };
  Type type = Type::kNormal;
  InstanceId instance;
  RevisionKey revision;
  std::string reason;
  std::string message;
};

struct FleetChanges {
  std::vector<NodeOrder> orders;
  std::set<RevisionKey>
      revisions;  // whose endpoints, counts or failure may have changed, or that are gone
  std::set<InstanceId> instances;  // that changed, came or went
  std::set<NodeName> nodes;        // likewise
  std::vector<InstanceEvent> events;
  std::vector<v1::ColdStart> started;  // of instances that became ready for the first time
  std::optional<TimePoint> wake_at;    // Settle() again then, even if nothing happens
};

enum class Scheduling { kAllowed, kCordoned };  // cordoned: keeps what it has, gets no more

// What runs of one revision.
struct InstanceCounts {
  int desired = 0;  // as decided; what exists when nothing was
  int ready = 0;
  int starting = 0;
  int failing = 0;
  int leaving = 0;  // draining or stopping
  int total = 0;
};

struct RevisionState {
  std::shared_ptr<const RevisionSpec> spec;  // null: not known to this process
  bool removed = true;                       // from the store, or never in it
  std::optional<int> desired;
  v1::Decision decision;  // the last one
  v1::ColdStart stamp;    // for instances that the decision of this turn starts
  // Why the newest of its instances that failed did; kept while the next tries, until one is ready
  // or none is wanted of one that has not given up.
  std::optional<v1::Failure> last_failure;
  int start_failures = 0;  // in a row, without one that got ready
  TimePoint start_not_before;
  Trial trial = Trial::kUnjudged;
};

// The same name may have been used before: the instance is of that one, and is to go.
inline bool OfAnEarlierOne(const RevisionState& state, const Instance& instance) {
  return state.spec && instance.spec &&
         instance.spec->revision_uid() != state.spec->instance.revision_uid();
}

class Fleet {
 public:
  Fleet(FleetOptions options, RandomSource random, TimePoint started);
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // ---- events

  void SetRevision(std::shared_ptr<const RevisionSpec> spec);
  // From now on a revision that was not set does not exist.
  void RevisionsAreLoaded();
  void RemoveRevision(const RevisionKey& key);
  // desired -1: no opinion; what was decided before stays.
  void OnDecision(const v1::Decision& decision);

  // `stream` tells apart the streams of one node, never 0; what an older one says is ignored.
  void OnNodeHello(uint64_t stream, const v1::NodeHello& hello, Moment at);
  void OnInventory(const NodeName& node, uint64_t stream, const v1::InstanceInventory& inventory,
                   Moment at);
  void OnReport(const NodeName& node, uint64_t stream, const v1::InstanceReport& report, Moment at);
  void OnNodeStatus(const NodeName& node, uint64_t stream, const v1::NodeStatus& status, Moment at);
  void OnUsage(const NodeName& node, uint64_t stream, const v1::UsageReport& report, Moment at);
  void OnNodeGone(const NodeName& node, uint64_t stream, Moment at);
  void SetScheduling(const NodeName& node, Scheduling scheduling);
  // The user took the node out: it is forgotten when it is away, with what it held.
  void ForgetNode(const NodeName& node);

  // Another takes its place, and it goes once its requests have ended. False: there is no such
  // instance.
  bool Evict(const InstanceId& id);

  void OnActivator(const ActivatorId& id);
  void OnActivatorGone(const ActivatorId& id, TimePoint now);
  // Concerns no revision by itself: it is looked at when something is to be taken away.
  void OnLoads(const ActivatorId& activator, const v1::InstanceLoads& loads);
  void OnDrained(const ActivatorId& activator, const InstanceId& instance);

  // ---- decisions

  FleetChanges Settle(Moment at);

  // ---- what there is now

  bool known(TimePoint now) const { return gate_.Open(now); }  // all nodes have been heard
  const NodeTable& nodes() const { return nodes_; }
  const InstanceTable& instances() const { return instances_; }
  const std::map<RevisionKey, RevisionState>& revisions() const { return revisions_; }

 private:
  void AdoptOrUpdate(Node& node, const v1::InstanceReport& report, Moment at);
  Instance& Adopt(const NodeName& node, const v1::InstanceReport& report, Moment at);
  void Update(Instance& instance, const v1::InstanceReport& report, Moment at);
  void Gone(const InstanceId& id);
  void BeginTrial(RevisionState& state);
  void NoteFailure(const Instance& instance, RevisionState& state);
  void Touch(const Instance& instance);
  Node* Speaking(const NodeName& node, uint64_t stream, Moment at);

  void UpdateHealth(Moment at);
  void OpenGateIfDue(Moment at);
  void SettleRevision(const RevisionKey& key, Moment at);
  void CarryOut(const RevisionKey& key, RevisionState& state, const InstancePlan& plan, Moment at);
  void PlaceAll(RevisionState& state, const RevisionKey& key, Moment at);
  std::optional<v1::Failure> PlaceOne(const RevisionSpec& revision, Instance& instance,
                                      std::vector<NodeView>& views, Moment at);
  void Refuse(Instance& instance, const v1::Failure& failure);
  void ForgetRefusal(const RevisionKey& key);
  void BeginStop(Instance& instance, Moment at);
  void AdvanceDrains(const RevisionKey& key, const RevisionState& state, Moment at);
  void OrderStop(Instance& instance, Nanos grace, Moment at);
  void Send(const NodeName& node, v1::ControllerMessage message);
  void SendDesired(const NodeName& node, Moment at);
  void NoteEvent(InstanceEvent::Type type, const Instance& instance, std::string reason,
                 std::string message);
  void WakeNoLaterThan(const RevisionKey& key, TimePoint when);

  const FleetOptions options_;
  const RandomSource random_;

  NodeTable nodes_;
  InstanceTable instances_;
  std::map<RevisionKey, RevisionState> revisions_;
  ActivatorTable activators_;
  RestartGate gate_;
  bool gate_was_open_ = false;
  bool health_changed_ = true;  // a stream has come or gone, or one spoke that was silent
  std::optional<TimePoint> health_due_;  // before then no node's health changes by itself
  bool revisions_loaded_ = false;

  std::set<NodeName> cordoned_;  // by their users, whether they are here or not
  std::set<RevisionKey> dirty_;
  std::set<RevisionKey> waiting_for_room_;  // have instances that no node could take
  std::set<RevisionKey> draining_;          // wait for activators
  std::set<NodeName> owed_desired_;         // inventories that have not been answered
  std::set<std::pair<TimePoint, RevisionKey>> wakes_;
  std::map<RevisionKey, TimePoint> wake_of_;
  FleetChanges changes_;
};

}  // namespace updraft::controller
