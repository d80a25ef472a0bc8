// All that the controller has said, put together: takes updates, gives snapshots. Pure. One thread;
// what it publishes is immutable but for the instances' words, which it closes and reopens itself.
//
// A revision's object lives as long as it is declared or some route names it, so that routes and
// revisions may come and go in any order. Instances that are no longer listed are closed at once;
// requests inside them go on, and the object stays until the last one has left. One that is listed
// again before that (its node was silent for a while) is the same object: those inside still count.
//
// Instances of a revision with a containerConcurrency have a limit: all of it, or, while others hold slots
// too, what this activator was granted (SlotBook).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "activator/queue/revision.h"
#include "activator/routing/route_table.h"
#include "activator/routing/slot_book.h"
#include "activator/routing/update.h"
#include "core/base/clock.h"

namespace updraft::activator {

// The outcome of an update, for the workers and for who keeps account of revisions.
struct Publication {
  struct Change {
    std::shared_ptr<Revision> revision = {};
    RevisionView view = {};  // `settings` null: it was removed
  };
  std::shared_ptr<const RouteTable> table = {};
  std::vector<Change> changes = {};
  std::vector<std::string> drained = {};  // ids of draining instances that nothing is inside of
  std::vector<std::shared_ptr<Revision>> more_slots = {};  // of these; who waits is to be woken
};

class RoutingState {
 public:
  explicit RoutingState(uint32_t worker_count);

  // `now`: when its new instances were routed.
  Publication Apply(const RoutingUpdate& update, WallTime now);

  // The last request inside a closed instance has ended. The id, if the controller waits to hear of it.
  std::optional<std::string> OnDrained(const Instance* instance);

  using LoadChanges = std::vector<std::pair<std::string, uint32_t>>;
  // Adds the revision's instances that were idle at the last call, or not known, and hold requests now, with their
  // number; and those that were busy and are idle now, with 0.
  void TakeLoadChanges(const std::string& revision, LoadChanges& changes);
  // Who was told is not there any more: the next call names all that are busy.
  void ForgetLoads();

  // Calls `see` (const RouteEntry&) for each route that has a certificate of its own.
  template <typename See>
  void ForEachCertificate(See see) const {
    for (const auto& [key, entry] : certified_) see(*entry);
  }

  // ---- slots

  bool shares_slots() const { return slots_.shared(); }
  int64_t slot_epoch() const { return slots_.epoch(); }
  // A stream begins, and with it counting. What is held, by instance.
  SlotBook::Counts HeldSlots() { return slots_.Held(); }
  // As if it had been told that others have slots, too: what is known is held, all of it.
  void ShareSlots() {
    if (!slots_.shared()) ShareSlots(0);
  }
  // Requests have ended that were to give their slots back.
  void LookForSlots(const std::string& revision);
  // Gives up each slot as soon as it is idle, until the next Apply(). No effect while they are not shared.
  void GiveUpSlots();
  // Instances that have given slots back since it was last asked; sums of the epoch.
  SlotBook::Counts TakeReturnedSlots() { return slots_.TakeReturned(); }

  // Null: it is not declared.
  std::shared_ptr<Revision> FindRevision(const std::string& key) const;
  // That take requests.
  bool HasInstances(const std::string& revision) const;
  // For an ejected instance; null: it is gone.
  Instance* FindInstance(const std::string& revision, const std::string& id);

 private:
  struct Held {
    std::shared_ptr<Instance> instance = {};
    bool draining = false;
    bool told_busy = false;
  };
  struct Declared {
    std::shared_ptr<Revision> revision = {};
    RevisionView view = {};
    std::map<std::string, Held> instances = {};  // by id
    std::optional<uint32_t> share = std::nullopt;  // of slots, to come down to
    uint32_t limit() const { return view.settings ? view.settings->container_concurrency : 0; }
  };
  struct RouteHeld {
    RouteUpdate said = {};
    std::shared_ptr<const RouteEntry> entry = {};
  };
  struct Batch;

  std::shared_ptr<Revision> RevisionOf(const std::string& key);
  void Declare(const RevisionSettings& settings, Batch& batch);
  void Remove(const std::string& revision, Batch& batch);
  void SetEndpoints(const EndpointsUpdate& update, Batch& batch);
  void SetEndpoint(Declared& declared, const EndpointUpdate& endpoint, WallTime now);
  void Drop(Held& held);
  std::shared_ptr<Instance> TakeBack(const InstanceAddress& address);
  void SetRoute(const RouteUpdate& update);
  std::shared_ptr<const RouteEntry> MakeRoute(const RouteUpdate& update);
  void RemoveRoute(const std::string& key);
  void RemoveUnnamed(const RoutingUpdate& full, Batch& batch);
  void ShareSlots(int64_t epoch);
  void UnshareSlots(Batch& batch);
  void SetSlots(const SharingUpdate& update, Batch& batch);
  void SetLimit(const Declared& declared, const std::shared_ptr<Instance>& instance);
  void ComeDown(Declared& declared);

  const uint32_t worker_count_;
  EditId edit_ = 0;
  SlotBook slots_;
  bool giving_up_ = false;  // every slot
  RouteTable table_;
  std::unordered_map<std::string, RouteHeld> routes_;
  std::unordered_map<std::string, std::shared_ptr<const RouteEntry>> certified_;  // those with a certificate
  std::unordered_map<std::string, Declared> revisions_;
  std::unordered_map<std::string, std::weak_ptr<Revision>> named_;  // by routes or declared; swept now and then
  size_t sweep_at_ = 1024;
  std::unordered_map<const Instance*, std::shared_ptr<Instance>> draining_;
  std::unordered_map<const Instance*, std::shared_ptr<Instance>> leaving_;  // unlisted, with requests inside
  std::unordered_map<std::string, const Instance*> leaving_ids_;            // the last one of each id
};

}  // namespace updraft::activator
