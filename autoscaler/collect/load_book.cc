#include "autoscaler/collect/load_book.h"

#include <algorithm>

namespace updraft::autoscaler {

void LoadBook::Begin(const std::string& activator, int64_t epoch) {
  Activator& entry = activators_[activator];
  if (entry.epoch != epoch) entry = Activator{.epoch = epoch, .present = true, .last = {}};
  entry.present = true;
}

LoadChange LoadBook::Record(const std::string& activator, const std::string& revision, const LoadFigures& figures,
                            bool first_report) {
  Activator& entry = activators_[activator];
  const auto [it, added] = entry.last.try_emplace(revision);
  const LoadFigures before = it->second;
  it->second = figures;
  // The past of an activator that is older than this autoscaler is not load of now.
  if (added && first_report) return {};
  return {.request_seconds = std::max(0.0, figures.request_seconds - before.request_seconds),
          .requests = figures.request_count >= before.request_count
                          ? static_cast<double>(figures.request_count - before.request_count)
                          : 0,
          .over = before.read_at > Nanos(0) ? std::max(Nanos(0), figures.read_at - before.read_at) : Nanos(0)};
}

void LoadBook::End(const std::string& activator) {
  const auto it = activators_.find(activator);
  if (it == activators_.end()) return;
  it->second.present = false;
  for (auto& [revision, figures] : it->second.last) figures.running = figures.waiting = 0;
}

uint32_t LoadBook::Waiting(const std::string& revision) const {
  uint32_t sum = 0;
  for (const auto& [name, activator] : activators_) {
    const auto it = activator.last.find(revision);
    if (it != activator.last.end()) sum += it->second.waiting;
  }
  return sum;
}

uint32_t LoadBook::Running(const std::string& revision) const {
  uint32_t sum = 0;
  for (const auto& [name, activator] : activators_) {
    const auto it = activator.last.find(revision);
    if (it != activator.last.end()) sum += it->second.running;
  }
  return sum;
}

bool LoadBook::AnyActivator() const {
  return std::ranges::any_of(activators_, [](const auto& entry) { return entry.second.present; });
}

void LoadBook::Forget(const std::string& revision) {
  for (auto& [name, activator] : activators_) activator.last.erase(revision);
}

}  // namespace updraft::autoscaler
