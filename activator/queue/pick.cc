#include "activator/queue/pick.h"

#include <utility>

namespace updraft::activator {
namespace {

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

Instance* PickInstance(const InstanceSet& set, uint32_t limit, uint32_t& next, std::minstd_rand& random) {
  if (set.open.empty()) return nullptr;
  if (limit == 0) return LeastOfTwo(set, random);
  const bool first_available = limit <= kFirstAvailableMax;
  size_t taken = 0;
  Instance* instance = TakeFrom(set, first_available ? 0 : next % set.open.size(), &taken);
  if (instance != nullptr && !first_available) next = static_cast<uint32_t>(taken + 1);
  return instance;
}

}  // namespace updraft::activator
