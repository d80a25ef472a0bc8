// What all workers share of a revision: a few atomic words, and the way to each worker's own part.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "activator/queue/instance.h"
#include "activator/routing/revision_settings.h"
#include "activator/stats/load_counter.h"
#include "activator/stats/response_counter.h"
#include "activator/stats/traffic_counter.h"
#include "core/base/clock.h"

namespace updraft::activator {

struct RevisionShard;

// The instances that take requests, by address. Immutable once published.
struct InstanceSet {
  std::vector<std::shared_ptr<Instance>> open = {};
};

// A revision as it was published last; `settings` is null while it is not known.
struct RevisionView {
  std::shared_ptr<const RevisionSettings> settings = {};
  std::shared_ptr<const InstanceSet> instances = {};  // null: none
};

class Revision : public std::enable_shared_from_this<Revision> {
 public:
  static constexpr uint32_t kWorkersMax = 64;  // a bit each

  // REQUIRES: 1 <= worker_count <= kWorkersMax.
  Revision(std::string key, uint32_t worker_count);
  ~Revision();
  Revision(const Revision&) = delete;
  Revision& operator=(const Revision&) = delete;

  const std::string& key() const { return key_; }  // "namespace/name"
  uint32_t worker_count() const { return worker_count_; }

  // Null until the worker has met the revision. Safe for concurrent use; the shard lives as long as
  // the revision.
  RevisionShard* shard(uint32_t worker) const { return shards_[worker].load(std::memory_order_acquire); }
  // Whether any worker has.
  bool met() const;
  // By that worker, once.
  RevisionShard& MakeShard(uint32_t worker);

  // The load of all workers together, at `clock`'s now. Any thread. Its integral never goes back: a worker dates what it
  // does by the beginning of its turn, which may lie before a reading that was taken within the turn; until the integral
  // has reached that reading again, it stands still.
  LoadReading ReadLoad(const Clock& clock) const;
  // Requests that are over, and counted with all that belongs to them but their slot. When the load, read after this, has as
  // many arrivals, and nothing that runs or waits, no figure of the revision changes before the next arrival.
  uint64_t ReadEnded() const;
  ResponseTotals ReadResponses() const;
  TrafficTotals ReadTraffic() const;

  // A bit for each worker with waiting requests. Who sets his bit tries once more for a slot
  // afterwards, and who frees a slot looks at the bits afterwards; both in one total order, so that
  // no wake-up is lost.
  std::atomic<uint64_t> waiting_workers{0};
  // Waiting requests of all workers.
  std::atomic<uint32_t> queued{0};
  // A demand for instances is on its way; cleared by who takes it in hand, when there are instances
  // or nobody waits any more.
  std::atomic<bool> demand_pending{false};

  // ---- while its slots are shared with other activators

  enum class SlotDemand : uint8_t {
    kNone,   // they are not shared
    kArmed,  // who makes a request wait says so
    kTold,   // it was said; armed again by who takes it in hand, when nobody waits any more
  };
  std::atomic<SlotDemand> slot_demand{SlotDemand::kNone};
  // Slots that are to be given back as requests end, instead of being used again. kAllSlots: every one.
  static constexpr uint32_t kAllSlots = UINT32_MAX;
  std::atomic<uint32_t> slots_over{0};
  // Takes one of those: true when there was one.
  bool TakeSlotOver();
  // OnSlotNews() is on its way; cleared by who takes it in hand, first.
  std::atomic<bool> slot_news{false};

 private:
  const std::string key_;
  const uint32_t worker_count_;
  const std::unique_ptr<std::atomic<RevisionShard*>[]> shards_;  // owned

  mutable std::mutex readings_;    // one reading of the load after the other; no worker takes it
  mutable RequestTime most_read_;  // guarded by readings_
};

}  // namespace updraft::activator
