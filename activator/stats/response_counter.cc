#include "activator/stats/response_counter.h"

#include <algorithm>
#include <numeric>

namespace updraft::activator {
namespace {

// One writer: a plain read and a plain write are enough, and cost no bus lock.
template <typename T>
void Increase(std::atomic<T>& value, T by) {
  value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace

uint64_t ResponseTotals::Class::count() const {
  return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
}

void ResponseTotals::Add(const ResponseTotals& other) {
  for (size_t c = 0; c < classes.size(); ++c) {
    for (size_t b = 0; b < classes[c].buckets.size(); ++b) classes[c].buckets[b] += other.classes[c].buckets[b];
    classes[c].latency_sum += other.classes[c].latency_sum;
  }
}

void ResponseCounter::Add(const ResponseSample& sample) {
  const bool known = sample.status >= 100 && sample.status < 600;
  Class& of = classes_[known ? static_cast<size_t>(sample.status / 100) : 0];
  const double seconds = static_cast<double>(sample.latency.count()) * 1e-9;
  const auto bound = std::ranges::lower_bound(kLatencyBounds, seconds);
  Increase<uint64_t>(of.buckets[static_cast<size_t>(bound - kLatencyBounds.begin())], 1);
  Increase<int64_t>(of.latency_nanos, sample.latency.count());
}

void ResponseCounter::AddTo(ResponseTotals& totals) const {
  for (size_t c = 0; c < classes_.size(); ++c) {
    for (size_t b = 0; b < classes_[c].buckets.size(); ++b) {
      totals.classes[c].buckets[b] += classes_[c].buckets[b].load(std::memory_order_relaxed);
    }
    totals.classes[c].latency_sum +=
        static_cast<double>(classes_[c].latency_nanos.load(std::memory_order_relaxed)) * 1e-9;
  }
}

}  // namespace updraft::activator
