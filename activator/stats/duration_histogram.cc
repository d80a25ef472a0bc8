#include "activator/stats/duration_histogram.h"

#include <algorithm>
#include <numeric>

namespace updraft::activator {

uint64_t DurationTotals::count() const { return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0}); }

void DurationHistogram::Add(Nanos took) {
  const double seconds = static_cast<double>(took.count()) * 1e-9;
  const auto bound = std::ranges::lower_bound(kDurationBounds, seconds);
  buckets_[static_cast<size_t>(bound - kDurationBounds.begin())].Add();
  nanos_.Add(static_cast<uint64_t>(std::max<int64_t>(took.count(), 0)));
}

void DurationHistogram::AddTo(DurationTotals& totals) const {
  for (size_t i = 0; i < buckets_.size(); ++i) totals.buckets[i] += buckets_[i].value();
  totals.sum += static_cast<double>(nanos_.value()) * 1e-9;
}

}  // namespace updraft::activator
