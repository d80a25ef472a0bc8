#include "autoscaler/collect/load_book.h"

#include <algorithm>

namespace updraft::autoscaler {

LoadBook::Said* LoadBook::Revision::Find(Place place) {
  const auto it = std::ranges::lower_bound(last, place, {}, &Said::place);
  return it == last.end() || it->place != place ? nullptr : &*it;
}

LoadBook::Activator& LoadBook::Named(const std::string& activator) {
  const auto [it, added] = activators_.try_emplace(activator);
  if (added) it->second.place = next_place_++;
  return it->second;
}

void LoadBook::ForgetFigures(Place place) {
  for (auto& [name, revision] : revisions_) {
    const Said* said = revision.Find(place);
    if (said == nullptr) continue;
    revision.waiting -= said->figures.waiting;
    revision.running -= said->figures.running;
    revision.last.erase(revision.last.begin() + (said - revision.last.data()));
  }
}

void LoadBook::Quiet(Place place) {
  for (auto& [name, revision] : revisions_) {
    Said* said = revision.Find(place);
    if (said == nullptr) continue;
    revision.waiting -= said->figures.waiting;
    revision.running -= said->figures.running;
    said->figures.running = said->figures.waiting = 0;
  }
}

void LoadBook::Begin(const std::string& activator, int64_t epoch) {
  Activator& entry = Named(activator);
  if (entry.epoch != epoch) {
    ForgetFigures(entry.place);
    entry.epoch = epoch;
  }
  Quiet(entry.place);
  entry.present = true;
}

LoadChange LoadBook::Record(const std::string& activator, const std::string& revision, const LoadFigures& figures,
                            bool first_report) {
  return Record(PlaceOf(activator), revision, figures, first_report);
}

LoadChange LoadBook::Record(Place activator, const std::string& revision, const LoadFigures& figures,
                            bool first_report) {
  Revision& entry = revisions_[revision];
  auto it = std::ranges::lower_bound(entry.last, activator, {}, &Said::place);
  const bool added = it == entry.last.end() || it->place != activator;
  if (added) it = entry.last.insert(it, {.place = activator});
  LoadFigures before = it->figures;
  it->figures = figures;
  entry.waiting += figures.waiting - before.waiting;
  entry.running += figures.running - before.running;
  LoadChange change{.waiting = entry.waiting};
  // Another revision of the name: its integrals begin at zero.
  if (figures.request_count < before.request_count) before = {};
  // The past of an activator that is older than this autoscaler is not load of now.
  if (added && first_report) return change;
  change.request_seconds = std::max(0.0, figures.request_seconds - before.request_seconds);
  change.requests = static_cast<double>(figures.request_count - before.request_count);
  if (before.read_at > Nanos(0)) change.over = std::max(Nanos(0), figures.read_at - before.read_at);
  return change;
}

void LoadBook::End(const std::string& activator) {
  const auto it = activators_.find(activator);
  if (it == activators_.end()) return;
  it->second.present = false;
  Quiet(it->second.place);
  it->second.departure = ++departures_;
  ForgetLongDeparted();
}

// One that takes over from another has a name of its own: without this the book would grow with every restart.
void LoadBook::ForgetLongDeparted() {
  auto oldest = activators_.end();
  size_t departed = 0;
  for (auto it = activators_.begin(); it != activators_.end(); ++it) {
    if (it->second.present) continue;
    ++departed;
    if (oldest == activators_.end() || it->second.departure < oldest->second.departure) oldest = it;
  }
  if (departed <= kDepartedMax) return;
  ForgetFigures(oldest->second.place);
  activators_.erase(oldest);
}

uint32_t LoadBook::Waiting(const std::string& revision) const {
  const auto it = revisions_.find(revision);
  return it == revisions_.end() ? 0 : it->second.waiting;
}

uint32_t LoadBook::Running(const std::string& revision) const {
  const auto it = revisions_.find(revision);
  return it == revisions_.end() ? 0 : it->second.running;
}

bool LoadBook::AnyActivator() const {
  return std::ranges::any_of(activators_, [](const auto& entry) { return entry.second.present; });
}

void LoadBook::Forget(const std::string& revision) { revisions_.erase(revision); }

}  // namespace updraft::autoscaler
