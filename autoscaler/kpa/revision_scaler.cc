#include "autoscaler/kpa/revision_scaler.h"

#include <algorithm>

namespace updraft::autoscaler {

RevisionScaler::RevisionScaler(const Defaults& defaults, Target target, TimePoint now)
    : target_(std::move(target)),
      policy_(MakePolicy(defaults, target_.annotations, target_.container_concurrency)),
      stable_(policy_.stable_window, policy_.averaging),
      panic_(policy_.panic_window, policy_.averaging) {
  Refresh(now);
}

void RevisionScaler::Update(const Defaults& defaults, Target target, TimePoint now) {
  target_ = std::move(target);
  const Policy policy = MakePolicy(defaults, target_.annotations, target_.container_concurrency);
  if (policy != policy_) {
    const bool other_figures = policy.metric != policy_.metric || policy.averaging != policy_.averaging;
    policy_ = policy;
    if (other_figures) {
      stable_ = Window(policy.stable_window, policy.averaging);
      panic_ = Window(policy.panic_window, policy.averaging);
    } else {
      stable_.Resize(policy.stable_window);
      panic_.Resize(policy.panic_window);
    }
  }
  Refresh(now);
}

void RevisionScaler::Record(double request_seconds, double requests, Nanos over, TimePoint now) {
  const double value = policy_.metric == Metric::kConcurrency ? request_seconds : requests;
  const int64_t seconds = std::max<int64_t>((over + Millis(500)) / Seconds(1), 1);
  const double each = value / static_cast<double>(seconds);
  for (int64_t i = std::min(seconds, stable_.length() / Seconds(1)) - 1; i >= 0; --i) {
    stable_.Record(now - Seconds(i), each);
    panic_.Record(now - Seconds(i), each);
  }
}

Decision RevisionScaler::Tick(TimePoint now) {
  if (!memory_) return Refresh(now);
  const Observation observation{.stable = stable_.Average(now),
                                .panic = panic_.Average(now),
                                .ready = target_.ready,
                                .reachable = target_.reachable};
  return Apply(Decide(policy_, observation, *memory_, now), now);
}

Decision RevisionScaler::Demand(int waiting, TimePoint now) {
  if (!memory_) return Refresh(now);
  // Requests that wait are concurrency as it will be seen; the windows learn of them with the next reports.
  const double seen = policy_.metric == Metric::kConcurrency ? waiting : std::min(waiting, 1);
  const Observation observation{.stable = std::max(seen, stable_.Average(now)),
                                .panic = std::max(seen, panic_.Average(now)),
                                .ready = target_.ready,
                                .reachable = target_.reachable};
  return Apply(Decide(policy_, observation, *memory_, now), now);
}

Decision RevisionScaler::Refresh(TimePoint now) {
  if (!memory_ && target_.instances_known) {
    memory_ = BirthMemory(policy_, target_.ready, now);
    state_ = BirthTarget(policy_, target_.initialized, target_.ready,
                         target_.ready + target_.starting + target_.failed, target_.reachable, now);
  }
  return Apply(has_opinion_ ? std::optional(last_) : std::nullopt, now);
}

Decision RevisionScaler::Apply(std::optional<Verdict> verdict, TimePoint now) {
  if (!state_) return {};
  if (verdict) {
    last_ = *verdict;
    has_opinion_ = true;
  }
  const TargetFacts facts{.desired = verdict ? std::optional(verdict->desired) : std::nullopt,
                          .ready = target_.ready,
                          .reachable = target_.reachable,
                          .progress_deadline = target_.progress_deadline};
  if (target_.initialized) state_->initialized = true;
  state_ = NextTarget(policy_, facts, *state_, now);
  return {.desired = state_->applied,
          .active = state_->active,
          .excess_burst_capacity = last_.excess_burst_capacity,
          .panic = last_.panic,
          .initialized = state_->initialized};
}

Insight RevisionScaler::insight(TimePoint now) const {
  return {.stable = stable_.Average(now), .panic = panic_.Average(now), .target = policy_.target};
}

}  // namespace updraft::autoscaler
