#include "activator/queue/revision.h"

#include <algorithm>
#include <array>
#include <span>

#include "activator/queue/shard.h"
#include "core/base/check.h"

namespace updraft::activator {

Revision::Revision(std::string key, uint32_t worker_count)
    : key_(std::move(key)),
      worker_count_(worker_count),
      shards_(std::make_unique<std::atomic<RevisionShard*>[]>(worker_count)) {
  UPDRAFT_CHECK(worker_count >= 1 && worker_count <= kWorkersMax);
}

Revision::~Revision() {
  for (uint32_t worker = 0; worker < worker_count_; ++worker) delete shard(worker);
}

bool Revision::met() const {
  for (uint32_t worker = 0; worker < worker_count_; ++worker) {
    if (shard(worker) != nullptr) return true;
  }
  return false;
}

RevisionShard& Revision::MakeShard(uint32_t worker) {
  UPDRAFT_CHECK(shard(worker) == nullptr);
  auto made = std::make_unique<RevisionShard>(*this, worker);
  shards_[worker].store(made.get(), std::memory_order_release);
  return *made.release();
}

bool Revision::TakeSlotOver() {
  uint32_t over = slots_over.load(std::memory_order_seq_cst);
  while (over != 0) {
    if (over == kAllSlots) return true;
    if (slots_over.compare_exchange_weak(over, over - 1, std::memory_order_seq_cst)) return true;
  }
  return false;
}

LoadReading Revision::ReadLoad(const Clock& clock) const {
  const std::lock_guard lock(readings_);
  std::array<LoadReading, kWorkersMax> readings;
  uint32_t count = 0;
  for (uint32_t worker = 0; worker < worker_count_; ++worker) {
    if (const RevisionShard* part = shard(worker)) readings[count++] = part->load.Read();
  }
  // Read after the parts: none of them was changed later than this.
  LoadReading sum;
  sum.at = clock.Now();
  for (const LoadReading& reading : std::span(readings).first(count)) {
    const LoadReading now = reading.ExtendedTo(sum.at);
    sum.request_time.Add(now.request_time);
    sum.arrivals += now.arrivals;
    sum.waiting += now.waiting;
    sum.running += now.running;
  }
  sum.request_time = most_read_ = std::max(most_read_, sum.request_time);
  return sum;
}

uint64_t Revision::ReadEnded() const {
  uint64_t ended = 0;
  for (uint32_t worker = 0; worker < worker_count_; ++worker) {
    if (const RevisionShard* part = shard(worker)) ended += part->responses.added();
  }
  return ended;
}

ResponseTotals Revision::ReadResponses() const {
  ResponseTotals totals;
  for (uint32_t worker = 0; worker < worker_count_; ++worker) {
    if (const RevisionShard* part = shard(worker)) part->responses.AddTo(totals);
  }
  return totals;
}

TrafficTotals Revision::ReadTraffic() const {
  TrafficTotals totals;
  for (uint32_t worker = 0; worker < worker_count_; ++worker) {
    if (const RevisionShard* part = shard(worker)) part->traffic.AddTo(totals);
  }
  return totals;
}

}  // namespace updraft::activator
