#include "node-agent/probe/probe_machine.h"

#include <algorithm>
#include <utility>

namespace updraft::node_agent {
namespace {

constexpr std::array kAllKinds = {ProbeKind::kStartup, ProbeKind::kReadiness, ProbeKind::kLiveness};

Nanos FirstTimeout(const ProbePolicy& policy) {
  return policy.quick ? std::min(policy.quick->timeout, policy.timeout) : policy.timeout;
}

Nanos FirstPace(const ProbePolicy& policy) {
  return policy.quick ? policy.quick->first : policy.period;
}

}  // namespace

ProbeMachine::ProbeMachine(const ProbePolicies& policies, TimePoint started)
    : started_at_(started) {
  At(ProbeKind::kStartup) = NewTrack(policies.startup, false);
  At(ProbeKind::kReadiness) = NewTrack(policies.readiness, false);
  At(ProbeKind::kLiveness) = NewTrack(policies.liveness, true);
}

std::optional<ProbeMachine::Track> ProbeMachine::NewTrack(const std::optional<ProbePolicy>& policy,
                                                          bool passing) const {
  if (!policy) return std::nullopt;
  Track track{.policy = *policy, .passing = passing};
  track.next = started_at_ + policy->initial_delay;
  track.pace = FirstPace(*policy);
  track.timeout = FirstTimeout(*policy);
  return track;
}

bool ProbeMachine::MayRun(ProbeKind kind) const {
  if (restart_ || !At(kind) || At(kind)->in_flight) return false;
  const std::optional<Track>& startup = At(ProbeKind::kStartup);
  const bool started = !startup || startup->passing;
  return (kind == ProbeKind::kStartup) != started;
}

std::vector<DueProbe> ProbeMachine::TakeDue(TimePoint now) {
  std::vector<DueProbe> due;
  for (const ProbeKind kind : kAllKinds) {
    if (!MayRun(kind) || At(kind)->next > now) continue;
    Track& track = *At(kind);
    track.in_flight = true;
    track.began = now;
    due.push_back({kind, track.timeout});
  }
  return due;
}

std::optional<TimePoint> ProbeMachine::WakeAt() const {
  std::optional<TimePoint> wake;
  for (const ProbeKind kind : kAllKinds) {
    if (!MayRun(kind)) continue;
    wake = wake ? std::min(*wake, At(kind)->next) : At(kind)->next;
  }
  return wake;
}

void ProbeMachine::OnResult(ProbeKind kind, ProbeResult result, TimePoint now) {
  if (restart_ || !At(kind)) return;
  Track& track = *At(kind);
  if (!track.in_flight) track.began = now;
  track.in_flight = false;
  const bool was_passing = track.passing;
  Count(track, result);
  if (kind != ProbeKind::kReadiness && result == ProbeResult::kFailure &&
      track.same_in_a_row >= track.policy.failure_threshold) {
    restart_ = kind;
    return;
  }
  if (track.passing != was_passing) track.pace = FirstPace(track.policy);
  if (track.passing) {
    track.timeout = track.policy.timeout;
  } else if (now - track.began >= track.timeout) {
    track.timeout = std::min(2 * track.timeout, track.policy.timeout);
  }
  Schedule(track, now);
}

void ProbeMachine::Count(Track& track, ProbeResult result) const {
  if (result == ProbeResult::kUnknown) return;
  track.same_in_a_row = result == track.last ? track.same_in_a_row + 1 : 1;
  track.last = result;
  if (result == ProbeResult::kSuccess && track.same_in_a_row >= track.policy.success_threshold) {
    track.passing = true;
  } else if (result == ProbeResult::kFailure &&
             track.same_in_a_row >= track.policy.failure_threshold) {
    track.passing = false;
  }
}

void ProbeMachine::Schedule(Track& track, TimePoint now) const {
  if (std::exchange(track.again_at_once, false) && !track.passing) {
    track.next = now;
    return;
  }
  if (track.passing || !track.policy.quick) {
    track.next = std::max(now, track.began + track.policy.period);
    return;
  }
  const QuickPace& quick = *track.policy.quick;
  const bool late = now - started_at_ >= quick.lasts;
  track.next = std::max(now, track.began + (late ? quick.later : track.pace));
  track.pace = std::min(quick.most, track.pace * 3 / 2);
}

void ProbeMachine::OnListening(TimePoint now) {
  for (const ProbeKind kind : {ProbeKind::kStartup, ProbeKind::kReadiness}) {
    if (!At(kind) || At(kind)->passing) continue;
    Track& track = *At(kind);
    track.pace = FirstPace(track.policy);
    track.again_at_once = track.in_flight;
    if (!track.in_flight) track.next = std::max(now, FirstAllowed(kind));
  }
}

TimePoint ProbeMachine::FirstAllowed(ProbeKind kind) const {
  return At(kind) ? started_at_ + At(kind)->policy.initial_delay : started_at_;
}

ContainerHealth ProbeMachine::Health() const {
  const std::optional<Track>& startup = At(ProbeKind::kStartup);
  const std::optional<Track>& readiness = At(ProbeKind::kReadiness);
  ContainerHealth health{.restart = restart_};
  health.started = !startup || startup->passing;
  health.ready = health.started && (!readiness || readiness->passing);
  return health;
}

}  // namespace updraft::node_agent
