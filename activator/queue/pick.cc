#include "activator/queue/pick.h"

#include <algorithm>

namespace updraft::activator {
namespace {

// Small enough for a processor's own cache to keep their connections, and enough to find an idle one among them while
// a worker has some dozens of requests.
constexpr size_t kTurnInstances = 64;  // at the least
// After so many requests one instance leaves the turn and the next joins it: what is cold is touched once for so many.
constexpr uint32_t kTurnRequests = 32;

// The first from `start` on, going round, that has a free slot.
Instance* TakeFrom(const InstanceSet& set, size_t start, size_t* taken) {
  const size_t count = set.open.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t at = start + i < count ? start + i : start + i - count;
    if (set.open[at]->TryTake()) {
      *taken = at;
      return set.open[at].get();
    }
  }
  return nullptr;
}

// An idle one of those that have their turn, which have had requests of late. Null: a few tries found none.
Instance* TakeIdleOfTurn(const InstanceSet& set, uint32_t next, uint32_t running, std::minstd_rand& random) {
  const size_t count = set.open.size();
  if (count <= kTurnInstances || count <= running) return nullptr;
  const size_t turn = std::clamp<size_t>(16 + running + running / 2, kTurnInstances, count);
  const size_t first = next / kTurnRequests % count;
  for (int tries = 0; tries < 8; ++tries) {
    const size_t at = first + random() % turn;
    Instance& instance = *set.open[at < count ? at : at - count];
    if (instance.in_flight() == 0 && instance.TryTake()) return &instance;
  }
  return nullptr;
}

Instance* LeastOfTwo(const InstanceSet& set, std::minstd_rand& random) {
  const size_t count = set.open.size();
  size_t a = random() % count;
  if (count > 1) {
    size_t b = random() % (count - 1);
    if (b >= a) ++b;  // two different ones, in random order: a tie is a coin's toss
    const bool b_is_better = set.open[a]->ejected() || set.open[b]->in_flight() < set.open[a]->in_flight();
    if (b_is_better && !set.open[b]->ejected()) a = b;
  }
  if (set.open[a]->TryTake()) return set.open[a].get();
  size_t taken = 0;
  return TakeFrom(set, a, &taken);
}

}  // namespace

Instance* PickInstance(const InstanceSet& set, uint32_t limit, uint32_t running, uint32_t& next, std::minstd_rand& random) {
  if (set.open.empty()) return nullptr;
  size_t taken = 0;
  if (limit > 0 && limit <= kFirstAvailableMax) return TakeFrom(set, 0, &taken);
  Instance* instance = TakeIdleOfTurn(set, next, running, random);
  if (instance == nullptr && limit > 0) {
    const size_t count = set.open.size();
    const size_t start = next % count;
    instance = TakeFrom(set, start, &taken);
    if (instance != nullptr) next += static_cast<uint32_t>((taken + count - start) % count);
  } else if (instance == nullptr) {
    instance = LeastOfTwo(set, random);
  }
  if (instance != nullptr) ++next;
  return instance;
}

}  // namespace updraft::activator
