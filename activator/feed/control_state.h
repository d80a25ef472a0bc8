// What the control loop knows, and what it has to say because of it: routes, endpoints, loads.
// Control loop only; without its streams and its workers' threads, so that the simulation drives it.
#pragma once

#include <cstdint>
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

class ControlState {
 public:
  // `clock` must outlive this.
  ControlState(const Clock& clock, Reporter reporter, uint32_t worker_count);

  // ---- from and to the controller

  // First on a stream; a controller that may be a new one is told of all again.
  v1::ActivatorMessage Hello(const std::string& version);

  struct Applied {
    std::shared_ptr<const Publication> publication;  // for the workers
    std::vector<v1::ActivatorMessage> messages;      // to be said
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

  // Which instances have become busy or idle, so that of several an idle one is taken away. Every second.
  std::optional<v1::ActivatorMessage> InstanceLoads();

  // ---- to the autoscaler

  // A request found no instance. nullopt: nothing to say, there is one by now.
  std::optional<v1::LoadReport> Demand(Revision& revision, WallTime queued);
  // What has changed since it was last said. Every second.
  v1::LoadReport Changes();
  // Everything, first on a stream.
  v1::LoadReport All();

  // Empty until the first update.
  const RouteTable& table() const { return *table_; }
  const RoutingState& routing() const { return state_; }
  const LoadLedger& ledger() const { return ledger_; }

 private:
  static v1::ActivatorMessage Drained(const std::string& instance_id);

  const Clock& clock_;
  const Reporter reporter_;
  RoutingState state_;
  std::shared_ptr<const RouteTable> table_;
  LoadLedger ledger_;
};

}  // namespace updraft::activator
