// Probes one run of one container: lets the machine say what is due and makes the attempts.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "core/base/loop.h"
#include "node-agent/probe/probe_runner.h"

namespace updraft::node_agent {

struct ProbeReport {
  ContainerHealth health{};
  ProbeKind kind = ProbeKind::kReadiness;  // of the probe whose result changed the health
  std::string message{};  // why it failed, "Readiness probe failed: ..."; empty after a success
};

// Loop thread only. At most one attempt of each kind is in flight. Destroying it cancels them.
class Prober {
 public:
  using OnChange = std::function<void(const ProbeReport&)>;

  // `started`: when the container's process was started (attempts are counted from there; for an
  // adopted container, now). Calls `on_change` on the loop each time health() has changed, never
  // from within a member function; the prober may be destroyed from there.
  Prober(Loop& loop, ProbeRunner& runner, ContainerProbes probes, TimePoint started,
         OnChange on_change);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // The health before any result: ready at once when there is nothing to wait for.
  const ContainerHealth& health() const { return health_; }

  // The port was seen to listen (listen_watcher.h): a tcp probe of it need not ask again, others
  // ask at once.
  void OnListening(uint16_t port);

 private:
  void MakeDueAttempts();
  void OnOutcome(ProbeKind kind, const ProbeOutcome& outcome);
  void SetTimer();
  void TellChange(ProbeKind kind, const ProbeOutcome& outcome);
  const std::optional<ProbePlan>& PlanOf(ProbeKind kind) const;

  Loop& loop_;
  ProbeRunner& runner_;
  const ContainerProbes probes_;
  const OnChange on_change_;
  ProbeMachine machine_;
  ContainerHealth health_;
  std::array<std::unique_ptr<ProbeAttempt>, kProbeKinds> attempts_;
  Loop::TimerId timer_ = 0;
};

}  // namespace updraft::node_agent
