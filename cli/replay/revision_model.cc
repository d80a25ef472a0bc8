#include "cli/replay/revision_model.h"

#include <algorithm>
#include <tuple>

namespace updraft::cli {

void RevisionModel::Advance(TimePoint now) {
  const double passed = std::chrono::duration<double>(now - advanced_).count();
  request_seconds_ += passed * static_cast<double>(running() + static_cast<int>(waiting_.size()));
  instance_seconds_ += passed * existing();
  advanced_ = now;
}

RevisionModel::Instance* RevisionModel::Find(uint64_t id) {
  const auto it = std::ranges::find(instances_, id, &Instance::id);
  return it == instances_.end() ? nullptr : &*it;
}

// The one with the fewest requests inside, as the activator chooses.
RevisionModel::Instance* RevisionModel::WithRoom() {
  Instance* best = nullptr;
  for (Instance& instance : instances_) {
    const bool full = concurrency_ > 0 && instance.running >= concurrency_;
    if (!instance.ready || instance.leaving || full) continue;
    if (best == nullptr || instance.running < best->running) best = &instance;
  }
  return best;
}

std::optional<RevisionModel::Begun> RevisionModel::Arrive(size_t request, TimePoint now) {
  Advance(now);
  ++arrivals_;
  Instance* instance = WithRoom();
  if (instance == nullptr) {
    waiting_.push_back(request);
    return std::nullopt;
  }
  ++instance->running;
  return Begun{request, instance->id};
}

std::optional<RevisionModel::Begun> RevisionModel::End(uint64_t id, TimePoint now) {
  Advance(now);
  Instance* instance = Find(id);
  --instance->running;
  if (instance->leaving || waiting_.empty()) {
    RemoveIfDone(id);
    return std::nullopt;
  }
  ++instance->running;
  const Begun begun{waiting_.front(), id};
  waiting_.pop_front();
  return begun;
}

std::vector<RevisionModel::Begun> RevisionModel::Ready(uint64_t id, TimePoint now) {
  Advance(now);
  std::vector<Begun> begun;
  Instance* instance = Find(id);
  if (instance == nullptr) return begun;
  instance->ready = true;
  while (!waiting_.empty() && (concurrency_ == 0 || instance->running < concurrency_)) {
    ++instance->running;
    begun.push_back({waiting_.front(), id});
    waiting_.pop_front();
  }
  return begun;
}

std::vector<uint64_t> RevisionModel::Resize(int desired, TimePoint now) {
  Advance(now);
  std::vector<uint64_t> starts;
  std::vector<Instance*> kept;
  for (Instance& instance : instances_) {
    if (!instance.leaving) kept.push_back(&instance);
  }
  const auto surplus = static_cast<int>(kept.size()) - desired;
  if (surplus > 0) {
    std::ranges::sort(kept, [](const Instance* a, const Instance* b) {
      return std::tuple(a->ready, a->running, b->id) < std::tuple(b->ready, b->running, a->id);
    });
    std::vector<uint64_t> leaving;
    for (int i = 0; i < surplus; ++i) {
      kept[static_cast<size_t>(i)]->leaving = true;
      leaving.push_back(kept[static_cast<size_t>(i)]->id);
    }
    for (const uint64_t id : leaving) RemoveIfDone(id);
  }
  for (int i = 0; i < -surplus; ++i) {
    instances_.push_back({.id = next_});
    starts.push_back(next_++);
  }
  return starts;
}

void RevisionModel::RemoveIfDone(uint64_t id) {
  std::erase_if(instances_, [id](const Instance& one) {
    return one.id == id && one.leaving && one.running == 0;
  });
}

int RevisionModel::ready() const {
  return static_cast<int>(
      std::ranges::count_if(instances_, [](const auto& i) { return i.ready && !i.leaving; }));
}

int RevisionModel::starting() const {
  return static_cast<int>(
      std::ranges::count_if(instances_, [](const auto& i) { return !i.ready && !i.leaving; }));
}

int RevisionModel::running() const {
  int sum = 0;
  for (const Instance& instance : instances_) sum += instance.running;
  return sum;
}

autoscaler::LoadFigures RevisionModel::Load(TimePoint now) {
  Advance(now);
  return {.request_seconds = request_seconds_,
          .request_count = arrivals_,
          .running = static_cast<uint32_t>(running()),
          .waiting = static_cast<uint32_t>(waiting_.size()),
          .read_at = now.time_since_epoch() + Nanos(1)};
}

double RevisionModel::InstanceSeconds(TimePoint now) {
  Advance(now);
  return instance_seconds_;
}

}  // namespace updraft::cli
