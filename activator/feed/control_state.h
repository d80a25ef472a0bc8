// What the control loop knows, and what it has to say because of it: routes, endpoints, loads.
// Control loop only; without its streams and its workers' threads, so that the simulation drives it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activator/feed/convert.h"
#include "activator/feed/load_ledger.h"
#include "activator/routing/routing_state.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "updraft/v1/routing.pb.h"
#include "updraft/v1/scaling.pb.h"

namespace updraft::activator {

// One process after the other, by hand-over: they have an id in common.
struct Lineage {
  std::string id = {};   // empty: the reporter's
  bool beside = false;   // the one before still lives
};

// While requests wait and slots are shared: how often it is said.
inline constexpr Nanos kSlotDemandEvery = Millis(20);
// Without a controller for so long, slots that are shared are given up: it counts on that when it gives
// them to others (controller/feeds/slot_broker.h).
inline constexpr Nanos kSlotLease = Seconds(45);

class ControlState {
 public:
  // `clock` must outlive this.
  ControlState(const Clock& clock, Reporter reporter, uint32_t worker_count, Lineage lineage = {});

  // ---- from and to the controller

  // First on a stream; a controller that may be a new one is told of all again.
  v1::ActivatorMessage Hello(const std::string& version);

  struct Applied {
    std::shared_ptr<const Publication> publication;  // for the workers; null: about slots alone
    std::vector<v1::ActivatorMessage> messages;      // to be said
    std::vector<std::shared_ptr<Revision>> more_slots;  // workers with requests that wait are to be woken
  };
  Applied Apply(const v1::RoutingUpdate& update);
  // All workers route by the update of that sequence.
  v1::ActivatorMessage Routed(int64_t sequence) const;

  // The last request inside a closed instance has ended. What the controller waits to hear of it.
  std::optional<v1::ActivatorMessage> OnDrained(const Instance* instance);

  struct Ejection {
    Nanos span;  // after it the instance is to be restored
    v1::ActivatorMessage message;
  };
  // An instance gets no requests after `failures` in a row.
  Ejection OnEjected(const std::string& instance_id, uint32_t failures, const Error& error) const;
  // Gives the instance requests again. A bit for each worker that is to be woken for it.
  uint64_t Restore(const Revision& revision, const std::string& instance_id);

  // ---- slots that are shared with other activators

  // Some were given back, or requests wait for some.
  std::vector<v1::ActivatorMessage> OnSlotNews(const std::shared_ptr<Revision>& revision);
  // Requests wait for slots: SlotDemandAgain() in kSlotDemandEvery.
  bool waits_for_slots() const { return !short_.empty(); }
  std::optional<v1::ActivatorMessage> SlotDemandAgain();
  // Every second.
  void CheckSlotLease();
  // The stream to the controller has ended.
  void OnControllerLost();
  // Serves no longer; another one of its lineage may. From now on slots are given up as requests end.
  std::vector<v1::ActivatorMessage> StopServing();

  // Which instances have become busy or idle, so that of several an idle one is taken away. Every second.
  std::optional<v1::ActivatorMessage> InstanceLoads();

  // ---- to the autoscaler

  // A worker counts for it from now on.
  void OnMet(const Revision& revision) { ledger_.OnMet(revision); }
  // A request found no instance. nullopt: nothing to say, there is one by now.
  std::optional<v1::LoadReport> Demand(Revision& revision, WallTime queued);
  // What has changed since it was last said. Every second.
  v1::LoadReport Changes();
  // Everything, first on a stream.
  v1::LoadReport All();

  // Empty until the first update.
  const RouteTable& table() const { return *table_; }
  std::shared_ptr<const RouteTable> shared_table() const { return table_; }
  const RoutingState& routing() const { return state_; }
  const LoadLedger& ledger() const { return ledger_; }

 private:
  static v1::ActivatorMessage Drained(const std::string& instance_id);
  std::optional<v1::ActivatorMessage> SlotsReturned();
  struct Short {
    std::shared_ptr<Revision> revision;
    uint32_t running = 0;  // as said last
    uint32_t waiting = 0;
  };
  bool AddDemand(v1::SlotDemand& demand, Short& of) const;
  void FindShort();

  const Clock& clock_;
  const Reporter reporter_;
  Lineage lineage_;
  RoutingState state_;
  std::map<std::string, Short> short_;  // by revision: requests wait for slots
  std::optional<TimePoint> lost_;       // since when there is no controller, if there was one
  bool stopping_ = false;
  std::shared_ptr<const RouteTable> table_;
  LoadLedger ledger_;
};

}  // namespace updraft::activator
