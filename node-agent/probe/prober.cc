#include "node-agent/probe/prober.h"

namespace updraft::node_agent {

Prober::Prober(Loop& loop, ProbeRunner& runner, ContainerProbes probes, TimePoint started,
               OnChange on_change)
    : loop_(loop),
      runner_(runner),
      probes_(std::move(probes)),
      on_change_(std::move(on_change)),
      machine_(PoliciesOf(probes_), started),
      health_(machine_.Health()) {
  SetTimer();
}

Prober::~Prober() { loop_.Cancel(timer_); }

const std::optional<ProbePlan>& Prober::PlanOf(ProbeKind kind) const {
  if (kind == ProbeKind::kStartup) return probes_.startup;
  return kind == ProbeKind::kReadiness ? probes_.readiness : probes_.liveness;
}

void Prober::OnListening(uint16_t port) {
  machine_.OnListening(loop_.Now());
  for (const ProbeKind kind : {ProbeKind::kStartup, ProbeKind::kReadiness}) {
    const std::optional<ProbePlan>& plan = PlanOf(kind);
    const TcpCall* tcp = plan ? std::get_if<TcpCall>(&plan->call) : nullptr;
    const bool seen =
        tcp != nullptr && tcp->port == port && machine_.FirstAllowed(kind) <= loop_.Now();
    // Readiness that waits for a startup probe is asked after it.
    if (!seen || (kind == ProbeKind::kReadiness && !machine_.Health().started)) continue;
    attempts_[static_cast<size_t>(kind)].reset();
    machine_.OnResult(kind, ProbeResult::kSuccess, loop_.Now());
  }
  loop_.Cancel(timer_);
  timer_ = loop_.After(Nanos(0), [this] {
    timer_ = 0;
    SetTimer();
    TellChange(ProbeKind::kReadiness, {ProbeResult::kSuccess, ""});
  });
}

void Prober::SetTimer() {
  loop_.Cancel(timer_);
  timer_ = 0;
  const std::optional<TimePoint> wake = machine_.WakeAt();
  if (!wake) return;
  timer_ = loop_.At(*wake, [this] {
    timer_ = 0;
    MakeDueAttempts();
  });
}

void Prober::MakeDueAttempts() {
  for (const DueProbe& due : machine_.TakeDue(loop_.Now())) {
    attempts_[static_cast<size_t>(due.kind)] = runner_.Start(
        PlanOf(due.kind)->call, due.timeout,
        [this, kind = due.kind](const ProbeOutcome& outcome) { OnOutcome(kind, outcome); });
  }
  SetTimer();
}

void Prober::OnOutcome(ProbeKind kind, const ProbeOutcome& outcome) {
  attempts_[static_cast<size_t>(kind)].reset();
  machine_.OnResult(kind, outcome.result, loop_.Now());
  if (machine_.Health().restart) {
    for (auto& attempt : attempts_) attempt.reset();
  }
  SetTimer();
  TellChange(kind, outcome);
}

void Prober::TellChange(ProbeKind kind, const ProbeOutcome& outcome) {
  const ContainerHealth health = machine_.Health();
  if (health == health_) return;
  health_ = health;
  ProbeReport report{.health = health, .kind = kind};
  if (outcome.result == ProbeResult::kFailure) {
    report.message = std::string(NameOf(kind)) + " probe failed: " + outcome.message;
  }
  on_change_(report);  // last: it may destroy the prober
}

}  // namespace updraft::node_agent
