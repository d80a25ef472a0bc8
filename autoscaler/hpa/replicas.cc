#include "autoscaler/hpa/replicas.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace updraft::autoscaler {
namespace {

constexpr double kTolerance = 0.1;
constexpr int64_t kMebibyte = 1 << 20;

// Usage of an instance in whole units, and what it is compared with.
struct Measure {
  std::vector<int64_t> values;
  int64_t full = 0;      // what an unread instance is taken to use when fewer are wanted
  double target = 1;
  int64_t request = 0;   // > 0: usage counts as a percentage of it

  // Kubernetes cuts both averages to whole numbers.
  double Ratio(const std::vector<int64_t>& of) const {
    const int64_t sum = std::accumulate(of.begin(), of.end(), int64_t{0});
    const auto count = static_cast<int64_t>(of.size());
    const int64_t average = request > 0 ? sum * 100 / (request * count) : sum / count;
    return static_cast<double>(average) / target;
  }
};

std::optional<Measure> MeasureOf(const Policy& policy, const UsageFacts& facts) {
  Measure measure;
  if (policy.metric == Metric::kCpu) {
    if (facts.cpu_request_millis <= 0) return std::nullopt;
    for (const InstanceUsage& usage : facts.usage) measure.values.push_back(usage.cpu_millis);
    measure.request = facts.cpu_request_millis;
    measure.target = policy.target;
    measure.full = static_cast<int64_t>(static_cast<double>(measure.request) * std::max(100.0, policy.target) / 100);
  } else if (policy.metric == Metric::kMemory) {
    for (const InstanceUsage& usage : facts.usage) measure.values.push_back(usage.memory_bytes);
    measure.full = static_cast<int64_t>(policy.target) * kMebibyte;
    measure.target = static_cast<double>(measure.full);
  } else {
    return std::nullopt;
  }
  return measure;
}

int Rounded(double ratio, size_t count) { return static_cast<int>(std::ceil(ratio * static_cast<double>(count))); }

bool Tolerable(double ratio) { return 1 - kTolerance <= ratio && ratio <= 1 + kTolerance; }

}  // namespace

std::optional<int> RecommendedInstances(const Policy& policy, const UsageFacts& facts) {
  const std::optional<Measure> measure = MeasureOf(policy, facts);
  if (!measure || measure->values.empty()) return std::nullopt;
  const double ratio = measure->Ratio(measure->values);
  const auto missing = static_cast<size_t>(std::max(0, facts.ready - static_cast<int>(facts.usage.size())));
  const bool unready_count = policy.metric == Metric::kCpu && facts.unready > 0 && ratio > 1;
  if (missing == 0 && !unready_count) return Tolerable(ratio) ? facts.current : Rounded(ratio, measure->values.size());

  std::vector<int64_t> all = measure->values;
  all.insert(all.end(), missing, ratio < 1 ? measure->full : 0);
  if (unready_count) all.insert(all.end(), static_cast<size_t>(facts.unready), 0);
  const double cautious = measure->Ratio(all);
  if (Tolerable(cautious) || (ratio < 1) != (cautious < 1)) return facts.current;
  const int wanted = Rounded(cautious, all.size());
  if ((cautious < 1) != (wanted <= facts.current)) return facts.current;
  return wanted;
}

}  // namespace updraft::autoscaler
