#include "autoscaler/kpa/fleet.h"

#include <utility>

namespace updraft::autoscaler {

void Fleet::SetDefaults(const Defaults& defaults, TimePoint now) {
  if (defaults == defaults_) return;
  defaults_ = defaults;
  for (auto& [revision, entry] : scalers_) {
    entry.scaler.Reconfigure(defaults_, now);
    Settle(revision, entry, entry.scaler.Refresh(now), 0);
  }
}

void Fleet::Put(const std::string& revision, Target target, TimePoint now) {
  auto it = scalers_.find(revision);
  if (it != scalers_.end() && it->second.scaler.target().uid != target.uid) {
    scalers_.erase(it);
    it = scalers_.end();
  }
  if (it == scalers_.end()) {
    it = scalers_.emplace(revision, Entry(RevisionScaler(defaults_, std::move(target), now))).first;
    changed_.push_back(revision);
  } else {
    it->second.scaler.Update(defaults_, std::move(target), now);
  }
  it->second.listed = true;
  Settle(revision, it->second, it->second.scaler.Refresh(now), 0);
  // A controller that was restarted while requests wait has forgotten the demand.
  const uint32_t waiting = book_.Waiting(revision);
  if (waiting > 0 && it->second.scaler.target().ready == 0) {
    Settle(revision, it->second, it->second.scaler.Demand(static_cast<int>(waiting), now), 0);
  }
}

void Fleet::Remove(const std::string& revision) {
  scalers_.erase(revision);
  book_.Forget(revision);
}

void Fleet::BeginFull() {
  for (auto& [revision, entry] : scalers_) entry.listed = false;
}

std::vector<std::string> Fleet::EndFull() {
  std::vector<std::string> removed;
  for (const auto& [revision, entry] : scalers_) {
    if (!entry.listed) removed.push_back(revision);
  }
  for (const std::string& revision : removed) Remove(revision);
  return removed;
}

void Fleet::ActivatorConnected(const std::string& activator, int64_t epoch) { book_.Begin(activator, epoch); }

void Fleet::ActivatorGone(const std::string& activator) { book_.End(activator); }

void Fleet::Report(const std::string& activator, const std::vector<LoadLine>& lines, bool first_report, TimePoint now) {
  const LoadBook::Place place = book_.PlaceOf(activator);
  for (const LoadLine& line : lines) {
    const LoadChange change = book_.Record(place, line.revision, line.figures, first_report);
    const auto it = scalers_.find(line.revision);
    if (it == scalers_.end()) continue;  // the controller will tell
    Entry& entry = it->second;
    entry.scaler.Record(change.request_seconds, change.requests, change.over, now);
    if (change.waiting > 0 && entry.scaler.target().ready == 0) {
      Settle(line.revision, entry, entry.scaler.Demand(static_cast<int>(change.waiting), now), line.first_queued_ns);
    }
  }
}

void Fleet::Tick(TimePoint now, WallTime wall) {
  if (!book_.AnyActivator()) return;  // nobody knows the load: no decision on ignorance
  for (auto& [revision, entry] : scalers_) {
    // An activator that says nothing of a revision says that it is idle; of the second that runs it has not spoken yet.
    entry.scaler.Record(0, 0, Nanos(0), now - Seconds(1));
    Settle(revision, entry, entry.scaler.Tick(now, wall), 0);
    if (entry.scaler.target().ready > 0) continue;
    // The windows have not seen all of those who wait; what was started for them is not taken back.
    const uint32_t waiting = book_.Waiting(revision);
    if (waiting > 0) Settle(revision, entry, entry.scaler.Demand(static_cast<int>(waiting), now), 0);
  }
}

void Fleet::Settle(const std::string& revision, Entry& entry, Decision decision, int64_t queued_ns) {
  const Decision& before = entry.decision;
  const bool raised_from_zero = before.desired.value_or(0) == 0 && decision.desired.value_or(0) > 0;
  if (raised_from_zero && queued_ns != 0) entry.queued_ns = queued_ns;
  const bool sign_changed = (before.excess_burst_capacity >= 0) != (decision.excess_burst_capacity >= 0);
  const bool changed = before.desired != decision.desired || before.active != decision.active ||
                       before.panic != decision.panic || before.initialized != decision.initialized || sign_changed;
  entry.decision = decision;
  if (changed && !std::exchange(entry.changed, true)) changed_.push_back(revision);
}

std::vector<RevisionDecision> Fleet::TakeChanges() {
  std::vector<RevisionDecision> changes;
  for (const std::string& revision : std::exchange(changed_, {})) {
    const auto it = scalers_.find(revision);
    if (it == scalers_.end() || !std::exchange(it->second.changed, false)) continue;
    changes.push_back(
        {revision, it->second.decision, std::exchange(it->second.queued_ns, 0), it->second.scaler.target().uid});
  }
  return changes;
}

std::vector<RevisionDecision> Fleet::All() const {
  std::vector<RevisionDecision> all;
  for (const auto& [revision, entry] : scalers_) all.push_back({revision, entry.decision, 0, entry.scaler.target().uid});
  return all;
}

void Fleet::ForEach(const std::function<void(const std::string&, const RevisionScaler&, const Decision&)>& see) const {
  for (const auto& [revision, entry] : scalers_) see(revision, entry.scaler, entry.decision);
}

}  // namespace updraft::autoscaler
