// The controller as a process: its stores, reconcilers, fleet and feeds are the real ones; only the
// loop, the API in front and gRPC are left out. Dies and comes back; what the durable store holds
// outlives it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "controller/feeds/known_activators.h"
#include "controller/feeds/route_source.h"
#include "controller/feeds/routing_sessions.h"
#include "controller/feeds/target_feed.h"
#include "controller/instances/fleet_loop.h"
#include "controller/instances/revision_reports.h"
#include "controller/instances/revision_source.h"
#include "controller/nodes/known_nodes.h"
#include "controller/nodes/node_streams.h"
#include "controller/objects/object_store.h"
#include "controller/reconcile/reconcile_loop.h"
#include "core/store/memory_store.h"
#include "tests/sim/chance.h"
#include "tests/sim/contracts.h"
#include "tests/sim/process.h"
#include "tests/sim/sabotage.h"

namespace updraft::sim {

using controller::Json;
using controller::ObjectKey;

// The registry: answers late, and not for images whose name says so.
class SimRegistry final : public controller::ImageResolver {
 public:
  SimRegistry(Process& process, Chance& chance) : process_(process), chance_(chance) {}
  http::Task<Result<std::string>> Resolve(std::string image, std::vector<v1::ImageAuth> auth) override;

 private:
  Process& process_;
  Chance& chance_;
};

// A disk: commits take time and fail now and then; what was queued when the process dies is lost.
class SimDisk final : public store::Store {
 public:
  SimDisk(store::Store& kept, Process& process, Weather& weather) : kept_(kept), process_(process), weather_(weather) {}

  void Commit(store::Transaction transaction, store::Done<store::Outcome> done) override;
  void Range(store::RangeRequest request, store::Done<store::RangeResult> done) override;
  WatchId Watch(store::KeyRange keys, int64_t from, store::WatchCallbacks callbacks) override {
    return kept_.Watch(std::move(keys), from, std::move(callbacks));
  }
  void Unwatch(WatchId id) override { kept_.Unwatch(id); }
  void Compact(int64_t revision, store::Done<std::monostate> done) override {
    kept_.Compact(revision, std::move(done));
  }
  void ReadBounds(store::Done<store::Bounds> done) override { kept_.ReadBounds(std::move(done)); }

 private:
  store::Store& kept_;
  Process& process_;
  Weather& weather_;
  TimePoint last_ = {};  // commits are carried out in order
};

struct ControllerSurroundings {
  Scheduler& time;
  Weather& weather;
  Chance& chance;
  store::MemoryStore& durable;
  Sabotage sabotage = Sabotage::kNone;
  std::vector<NodeWire*> nodes;
  std::vector<RoutingWire*> activators;
  DecisionWire* autoscaler = nullptr;
  std::function<void(const std::string& line)> trace;  // may be empty
  // Told of what each turn brought.
  std::function<void(const controller::Fleet&, const controller::FleetChanges&)> on_settled;
};

// One life of it.
class SimController {
 public:
  SimController(const ControllerSurroundings& around, const MachineClock& clock);
  ~SimController();
  SimController(const SimController&) = delete;
  SimController& operator=(const SimController&) = delete;

  // Has read its stores and listens.
  bool serving() const { return parts_ != nullptr; }

  // REQUIRES below: serving().
  const controller::Fleet& fleet() const;
  const controller::RoutingSessions& routing() const;
  const controller::ReconcileLoop& reconciles() const;
  const controller::ObjectStore& objects() const { return objects_; }
  controller::Moment Now() const { return {process_.clock().Now(), process_.clock().Wall()}; }
  bool node_connected(const std::string& node) const;

  // A user's write: `edit` gets the present object, null when there is none, and gives the one to
  // write; nullopt deletes it. `done` runs when it is acknowledged or refused, unless the process
  // dies before.
  using Edit = std::function<std::optional<Json>(const Json* present)>;
  void Write(const ObjectKey& key, const Edit& edit, const std::function<void(Status)>& done);

  // Grows with everything that is sent or written.
  uint64_t activity() const;

 private:
  class Parts;

  void Begin();
  http::Task<void> Load();
  http::Task<void> Carry(ObjectKey key, std::optional<Json> object, std::optional<controller::Stored> present,
                         std::function<void(Status)> done);

  const ControllerSurroundings around_;
  Process process_;
  SimDisk disk_;
  store::MemoryStore soft_kept_;
  controller::ObjectStore objects_;
  controller::ObjectStore soft_;
  std::unique_ptr<Parts> parts_;  // once the stores are read, since what is stored decides how they begin
  http::Scope scope_;
};

}  // namespace updraft::sim
