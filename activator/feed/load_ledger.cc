#include "activator/feed/load_ledger.h"

#include <algorithm>
#include <utility>

namespace updraft::activator {

void LoadLedger::Set(std::shared_ptr<Revision> revision, bool has_instances) {
  Entry& entry = entries_[revision->key()];
  if (entry.revision != revision) entry = Entry{.revision = std::move(revision)};
  entry.has_instances = has_instances;
  if (!has_instances) return;
  entry.first_queued_ns = 0;
  entry.revision->demand_pending.store(false, std::memory_order_seq_cst);
}

void LoadLedger::Remove(const std::string& revision) { entries_.erase(revision); }

std::optional<LoadLine> LoadLedger::Demand(Revision& revision, WallTime queued) {
  const auto found = entries_.find(revision.key());
  if (found == entries_.end() || found->second.has_instances) {
    revision.demand_pending.store(false, std::memory_order_seq_cst);
    return std::nullopt;
  }
  Entry& entry = found->second;
  if (entry.first_queued_ns == 0) entry.first_queued_ns = UnixNanos(queued);
  LoadReading load = revision.ReadLoad(clock_);
  // Whoever asked was refused or has left; that somebody asked is still to be said.
  load.waiting = std::max(load.waiting, 1u);
  return Say(found->first, entry, load);
}

std::vector<LoadLine> LoadLedger::Changes() {
  std::vector<LoadLine> lines;
  for (auto& [key, entry] : entries_) {
    const bool demanded = entry.first_queued_ns != 0 && StillDemanded(entry);
    const LoadReading load = entry.revision->ReadLoad(clock_);
    const LoadReading& said = entry.said;
    const bool changed = load.request_time != said.request_time || load.arrivals != said.arrivals ||
                         load.running != said.running || load.waiting != said.waiting;
    if (changed || demanded) lines.push_back(Say(key, entry, load));
  }
  return lines;
}

std::vector<LoadLine> LoadLedger::All() {
  std::vector<LoadLine> lines;
  for (auto& [key, entry] : entries_) {
    const LoadReading load = entry.revision->ReadLoad(clock_);
    if (load.arrivals > 0) lines.push_back(Say(key, entry, load));
  }
  return lines;
}

void LoadLedger::ForEach(const std::function<void(const std::shared_ptr<Revision>&)>& see) const {
  for (const auto& [key, entry] : entries_) see(entry.revision);
}

LoadLine LoadLedger::Say(const std::string& key, Entry& entry, const LoadReading& load) {
  entry.said = load;
  return {.revision = key, .load = load, .first_queued_ns = entry.first_queued_ns};
}

// Ends a demand that nobody waits for any more, so that the next request raises a new one at once.
bool LoadLedger::StillDemanded(Entry& entry) {
  Revision& revision = *entry.revision;
  if (revision.queued.load(std::memory_order_seq_cst) > 0) return true;
  revision.demand_pending.store(false, std::memory_order_seq_cst);
  // A request that came in between saw the old demand, and relies on it.
  const bool waiting = revision.queued.load(std::memory_order_seq_cst) > 0;
  if (waiting && !revision.demand_pending.exchange(true, std::memory_order_seq_cst)) return true;
  entry.first_queued_ns = 0;
  return false;
}

}  // namespace updraft::activator
