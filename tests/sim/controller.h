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
#include "core/lease/led_store.h"
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

// What leaders do, seen from outside: no act of a term follows one of a later term.
class Terms {
 public:
  explicit Terms(std::function<void(const std::string& what)> violation) : violation_(std::move(violation)) {}

  void OnTaken(int64_t term) { taken_.insert(term); }
  // A write that was sent in `term` was done, as the store's `revision`.
  void OnWritten(int64_t term, int64_t revision);
  // Somebody is told something.
  void OnActed(int64_t term);
  size_t count() const { return taken_.size(); }

 private:
  const std::function<void(const std::string& what)> violation_;
  std::set<int64_t> taken_;  // the revisions of which they are
  int64_t last_acted_ = 0;
};

// The store that all controllers share, as one of them sees it: writes take time and fail now and then. A write that was sent
// is done whatever becomes of who sent it.
class SimDisk final : public store::Store {
 public:
  struct Surroundings {
    Scheduler& time;
    Weather& weather;
    store::MemoryStore& kept;
    Terms& terms;
    Sabotage sabotage = Sabotage::kNone;
  };
  SimDisk(const Surroundings& around, Process& process) : around_(around), process_(process) {}

  // What is on its way arrives that much later.
  void Delay(Nanos by) { *late_until_ = around_.time.now() + by; }
  // Nothing is done or answered for that long.
  void Cut(Nanos span) { cut_until_ = around_.time.now() + span; }
  // Once, as soon as something is on its way.
  void OnNextCommit(std::function<void()> then) { on_next_commit_ = std::move(then); }
  // Whose writes these are from now on.
  void SetTerm(int64_t term) { term_ = term; }

  void Commit(store::Transaction transaction, store::Done<store::Outcome> done) override;
  void Range(store::RangeRequest request, store::Done<store::RangeResult> done) override;
  WatchId Watch(store::KeyRange keys, int64_t from, store::WatchCallbacks callbacks) override {
    return around_.kept.Watch(std::move(keys), from, std::move(callbacks));
  }
  void Unwatch(WatchId id) override { around_.kept.Unwatch(id); }
  void Compact(int64_t revision, store::Done<std::monostate> done) override {
    around_.kept.Compact(revision, std::move(done));
  }
  void ReadBounds(store::Done<store::Bounds> done) override { around_.kept.ReadBounds(std::move(done)); }

 private:
  bool Unreachable() const { return around_.time.now() < cut_until_; }
  template <typename T>
  void Fail(const char* why, store::Done<T> done);

  const Surroundings around_;
  Process& process_;
  TimePoint last_ = {};  // commits are carried out in order
  TimePoint cut_until_ = {};
  const std::shared_ptr<TimePoint> late_until_ = std::make_shared<TimePoint>();
  std::function<void()> on_next_commit_;
  int64_t term_ = 0;
};

struct ControllerSurroundings {
  Scheduler& time;
  Weather& weather;
  Chance& chance;
  store::MemoryStore& durable;
  Terms& terms;
  std::string name = {};
  Sabotage sabotage = Sabotage::kNone;
  std::vector<NodeWire*> nodes;
  std::vector<RoutingWire*> activators;
  DecisionWire* autoscaler = nullptr;
  std::function<void(const std::string& line)> trace;  // may be empty
  std::function<void()> on_lost;  // it leads no more: the process has to end
  // Told of what each turn brought.
  std::function<void(const controller::Fleet&, const controller::FleetChanges&)> on_settled;
};

// One life of one of them: stands by until it leads, and is over when it leads no more.
class SimController {
 public:
  SimController(const ControllerSurroundings& around, const MachineClock& clock);
  ~SimController();
  SimController(const SimController&) = delete;
  SimController& operator=(const SimController&) = delete;

  // Leads, has read its stores and listens.
  bool serving() const { return parts_ != nullptr && leads(); }
  bool leads() const { return led_->candidate().Leads(); }

  // ---- faults
  // Stands still; its clocks go on, and so does what it sent. If `with_a_write`, when something is on its way to the
  // store, which then arrives later than any lease lasts.
  bool frozen() const { return process_.frozen(); }
  void Freeze(Nanos span, bool with_a_write);
  void CutFromStore(Nanos span) { disk_->Cut(span); }
  void Mend();

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

  void Look();
  void End();
  void Stand(Nanos span);
  http::Task<void> Load();
  http::Task<void> Carry(ObjectKey key, std::optional<Json> object, std::optional<controller::Stored> present,
                         std::function<void(Status)> done);

  const ControllerSurroundings around_;
  Process process_;
  SimDisk* disk_ = nullptr;  // under led_
  std::unique_ptr<lease::LedStore> led_;
  int64_t term_ = 0;  // 0: has not led yet
  bool over_ = false;
  store::MemoryStore soft_kept_;
  controller::ObjectStore objects_;
  controller::ObjectStore soft_;
  std::unique_ptr<Parts> parts_;  // once the stores are read, since what is stored decides how they begin
  const std::shared_ptr<const int> alive_ = std::make_shared<int>(0);
  http::Scope scope_;
};

}  // namespace updraft::sim
