#include "activator/feed/load_ledger.h"

#include <algorithm>
#include <utility>

namespace updraft::activator {

void LoadLedger::Set(std::shared_ptr<Revision> revision, bool has_instances,
                     std::shared_ptr<const RevisionSettings> settings) {
  const auto item = entries_.try_emplace(revision->key()).first;
  Entry& entry = item->second;
  if (entry.revision != revision) {
    End(item->first, entry);
    entry = Entry{.revision = std::move(revision)};
    if (entry.revision->met()) Meet(entry);
  }
  entry.settings = std::move(settings);
  entry.has_instances = has_instances;
  if (!has_instances) return;
  entry.first_queued_ns = 0;
  entry.revision->demand_pending.store(false, std::memory_order_seq_cst);
}

void LoadLedger::Remove(const std::string& revision) {
  const auto found = entries_.find(revision);
  if (found == entries_.end()) return;
  End(revision, found->second);
  entries_.erase(found);
}

void LoadLedger::Meet(Entry& entry) {
  if (entry.met_at) return;
  entry.met_at = met_.size();
  met_.push_back(&entry);
}

// Or the autoscaler would go on believing that requests wait, also for another of the same name.
void LoadLedger::End(const std::string& key, Entry& entry) {
  if (entry.met_at) {
    met_.back()->met_at = entry.met_at;
    met_[*entry.met_at] = met_.back();
    met_.pop_back();
    entry.met_at.reset();
  }
  if (entry.said.waiting == 0 && entry.said.running == 0) return;
  LoadReading& last = ended_[key] = entry.said;
  last.waiting = last.running = 0;
}

void LoadLedger::OnMet(const Revision& revision) {
  const auto found = entries_.find(revision.key());
  if (found == entries_.end() || found->second.revision.get() != &revision) return;
  Meet(found->second);
}

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
  for (Entry* met : met_) {
    Entry& entry = *met;
    const bool demanded = entry.first_queued_ns != 0 && StillDemanded(entry);
    const LoadReading load = entry.revision->ReadLoad(clock_);
    const LoadReading& said = entry.said;
    const bool changed = load.request_time != said.request_time || load.arrivals != said.arrivals ||
                         load.running != said.running || load.waiting != said.waiting;
    if (changed || demanded) lines.push_back(Say(entry.revision->key(), entry, load));
  }
  for (const auto& [key, load] : std::exchange(ended_, {})) lines.push_back({.revision = key, .load = load});
  return lines;
}

std::vector<LoadLine> LoadLedger::All() {
  std::vector<LoadLine> lines;
  ended_.clear();  // what is not told is not there
  for (Entry* entry : met_) {
    const LoadReading load = entry->revision->ReadLoad(clock_);
    if (load.arrivals > 0) lines.push_back(Say(entry->revision->key(), *entry, load));
  }
  return lines;
}

void LoadLedger::ForEach(const std::function<void(const std::shared_ptr<Revision>&)>& see) const {
  for (const auto& [key, entry] : entries_) see(entry.revision);
}

void LoadLedger::ForEachMet(const SeeMet& see) const {
  for (const Entry* entry : met_) see(entry->settings, *entry->revision);
}

LoadLine LoadLedger::Say(std::string_view key, Entry& entry, const LoadReading& load) {
  entry.said = load;
  if (const auto ended = ended_.find(key); ended != ended_.end()) ended_.erase(ended);
  return {.revision = std::string(key), .load = load, .first_queued_ns = entry.first_queued_ns};
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
