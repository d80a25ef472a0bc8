#include "autoscaler/kpa/revision_scaler.h"

#include <algorithm>

namespace updraft::autoscaler {

namespace {

// Activators tell of each second at its end: of the one that runs there is nothing yet, which is not nothing at all.
TimePoint LastTold(TimePoint now) { return now - Seconds(1); }

}  // namespace

RevisionScaler::RevisionScaler(const Defaults& defaults, Target target, TimePoint now)
    : target_(std::move(target)),
      policy_(MakePolicy(defaults, target_.annotations, target_.container_concurrency)),
      stable_(policy_.stable_window, policy_.averaging),
      panic_(policy_.panic_window, policy_.averaging) {
  floor_.Configure(policy_);
  insight_.target = policy_.target;
  Refresh(now);
}

void RevisionScaler::Update(const Defaults& defaults, Target target, TimePoint now) {
  const bool other_wishes = target.annotations != target_.annotations ||
                            target.container_concurrency != target_.container_concurrency;
  target_ = std::move(target);
  if (other_wishes) Configure(defaults, now);
  Refresh(now);
}

void RevisionScaler::Reconfigure(const Defaults& defaults, TimePoint now) {
  Configure(defaults, now);
  Refresh(now);
}

void RevisionScaler::Configure(const Defaults& defaults, TimePoint now) {
  const Policy policy = MakePolicy(defaults, target_.annotations, target_.container_concurrency);
  if (policy == policy_) return;
  const bool other_figures = policy.metric != policy_.metric || policy.averaging != policy_.averaging;
  policy_ = policy;
  if (other_figures) {
    stable_ = Window(policy.stable_window, policy.averaging);
    panic_ = Window(policy.panic_window, policy.averaging);
  } else {
    stable_.Resize(policy.stable_window, now);
    panic_.Resize(policy.panic_window, now);
  }
  floor_.Configure(policy_);
  insight_.target = policy_.target;
}

void RevisionScaler::Record(double request_seconds, double requests, Nanos over, TimePoint now) {
  const double value = policy_.metric == Metric::kConcurrency ? request_seconds : requests;
  const int64_t seconds = std::max<int64_t>((over + Millis(500)) / Seconds(1), 1);
  const double each = value / static_cast<double>(seconds);
  if (request_seconds > 0 || requests > 0) floor_.OnActivity(now);
  for (int64_t i = std::min(seconds, stable_.length() / Seconds(1)) - 1; i >= 0; --i) {
    stable_.Record(now - Seconds(i), each);
    panic_.Record(now - Seconds(i), each);
  }
}

Decision RevisionScaler::Tick(TimePoint now, WallTime wall) {
  floor_now_ = floor_.At(policy_, now, wall);
  insight_.stable = stable_.Average(LastTold(now));
  insight_.panic = panic_.Average(LastTold(now));
  if (!memory_) return Refresh(now);
  if (policy_.scaler_class == ScalerClass::kHpa) {
    if (!hpa_.Due(now) && has_opinion_) return Apply(last_, now);
    return Apply(FollowUsage(false, now), now);
  }
  const Observation observation{.stable = insight_.stable,
                                .panic = insight_.panic,
                                .ready = target_.ready,
                                .reachable = target_.reachable};
  return Apply(Decide(policy_, observation, *memory_, now), now);
}

Decision RevisionScaler::Demand(int waiting, TimePoint now) {
  if (!memory_) return Refresh(now);
  if (policy_.scaler_class == ScalerClass::kHpa) return Apply(FollowUsage(true, now), now);
  // Requests that wait are concurrency as it will be seen; the windows learn of them with the next reports.
  const double seen = policy_.metric == Metric::kConcurrency ? waiting : std::min(waiting, 1);
  const Observation observation{.stable = std::max(seen, stable_.Average(LastTold(now))),
                                .panic = std::max(seen, panic_.Average(LastTold(now))),
                                .ready = target_.ready,
                                .reachable = target_.reachable};
  return Apply(Decide(policy_, observation, *memory_, now), now);
}

// One that no route leads to is not kept for what it uses.
Verdict RevisionScaler::FollowUsage(bool asked, TimePoint now) {
  const UsageFacts facts{.current = state_->applied,
                         .ready = target_.ready,
                         .unready = target_.starting,
                         .usage = target_.usage,
                         .cpu_request_millis = target_.cpu_request_millis};
  const int desired = hpa_.Decide(policy_, facts, now);
  return {.desired = target_.reachable || asked ? desired : 0};
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
                          .progress_deadline = target_.progress_deadline,
                          .floor = floor_now_};
  if (target_.initialized) state_->initialized = true;
  state_ = NextTarget(policy_, facts, *state_, now);
  return {.desired = state_->applied,
          .active = state_->active,
          .excess_burst_capacity = last_.excess_burst_capacity,
          .panic = last_.panic,
          .initialized = state_->initialized};
}

}  // namespace updraft::autoscaler
