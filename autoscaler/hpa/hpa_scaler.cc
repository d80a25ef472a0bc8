#include "autoscaler/hpa/hpa_scaler.h"

#include <algorithm>
#include <limits>

namespace updraft::autoscaler {
namespace {

constexpr Nanos kDownscaleStabilization = Seconds(300);
constexpr int kReachAlways = 4;
constexpr int kStep = 4;

int Bounded(const Policy& policy, int count) {
  const int most = policy.max_scale > 0 ? policy.max_scale : std::numeric_limits<int>::max();
  return std::min(std::max({count, policy.min_scale, 1}), std::max(most, 1));
}

}  // namespace

int HpaScaler::Stabilized(const Policy& policy, int current, int recommended, TimePoint now) {
  const Nanos window = policy.stabilization.value_or(kDownscaleStabilization);
  while (!recent_.empty() && now - recent_.front().at >= window) recent_.pop_front();
  recent_.push_back({now, recommended});
  int most = recommended;
  int least = recommended;
  for (const Recommendation& one : recent_) {
    most = std::max(most, one.count);
    least = std::min(least, one.count);
  }
  if (!policy.stabilization) return most;
  return std::min(std::max(current, least), most);
}

int HpaScaler::Decide(const Policy& policy, const UsageFacts& facts, TimePoint now) {
  looked_ = now;
  const int current = std::max(facts.current, 1);
  if (Bounded(policy, current) != current) return Bounded(policy, current);
  const std::optional<int> recommended = RecommendedInstances(policy, facts);
  if (!recommended) return current;
  const int wanted = Stabilized(policy, current, *recommended, now);
  const int reach = policy.stabilization ? std::max(current + kStep, 2 * current) : std::max(2 * current, kReachAlways);
  return Bounded(policy, std::min(wanted, reach));
}

}  // namespace updraft::autoscaler
