#include "activator/stats/response_counter.h"

namespace updraft::activator {

void ResponseCounter::Add(const ResponseSample& sample) {
  const bool known = sample.status >= 100 && sample.status < 600;
  classes_[known ? static_cast<size_t>(sample.status / 100) : 0].Add(sample.latency);
  added_.store(added_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

void ResponseCounter::AddTo(ResponseTotals& totals) const {
  for (size_t i = 0; i < classes_.size(); ++i) classes_[i].AddTo(totals.classes[i]);
}

}  // namespace updraft::activator
