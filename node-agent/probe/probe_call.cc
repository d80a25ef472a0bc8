#include "node-agent/probe/probe_call.h"

namespace updraft::node_agent {
namespace {

// Steady period and timeout of a readiness probe whose period is 0: what Knative's queue-proxy gets
// from kubelet.
constexpr Nanos kAggressivePeriod = Seconds(1);
constexpr Nanos kAggressiveTimeout = Seconds(1);
// An exec costs a process in the container, not a packet.
constexpr QuickPace kQuickExec = {
    .first = Millis(100), .most = Millis(500), .timeout = Seconds(1), .later = Seconds(1)};

uint16_t PortOr(uint32_t port, uint16_t fallback) {
  return port == 0 ? fallback : static_cast<uint16_t>(port);
}

HttpCall HttpCallOf(const v1::HttpProbe& probe, const ProbeTarget& target) {
  HttpCall call{
      .ip = target.ip, .port = PortOr(probe.port(), target.serving_port), .tls = probe.tls()};
  call.path = probe.path().starts_with('/') ? probe.path() : "/" + probe.path();
  // The agent connects to the instance alone, wherever `host` points: it only names the virtual
  // host.
  if (!probe.host().empty()) call.headers.emplace_back("Host", probe.host());
  for (const v1::EnvVar& header : probe.headers())
    call.headers.emplace_back(header.name(), header.value());
  return call;
}

std::optional<ProbeCall> CallOf(const v1::Probe& probe, const ProbeTarget& target) {
  switch (probe.handler_case()) {
    case v1::Probe::kHttp:
      return HttpCallOf(probe.http(), target);
    case v1::Probe::kTcp:
      return TcpCall{target.ip, PortOr(probe.tcp().port(), target.serving_port)};
    case v1::Probe::kGrpc:
      return GrpcCall{target.ip, PortOr(probe.grpc().port(), target.serving_port),
                      probe.grpc().service()};
    case v1::Probe::kExec:
      return ExecCall{target.container_id,
                      {probe.exec().command().begin(), probe.exec().command().end()}};
    case v1::Probe::HANDLER_NOT_SET:
      return std::nullopt;
  }
  return std::nullopt;
}

ProbePolicy PolicyOf(const v1::Probe& probe, ProbeKind kind) {
  ProbePolicy policy{.initial_delay = Nanos(probe.initial_delay_ns())};
  if (probe.period_ns() > 0) {
    policy.period = Nanos(probe.period_ns());
  } else if (kind == ProbeKind::kReadiness) {
    policy.period = kAggressivePeriod;
    policy.timeout = kAggressiveTimeout;
    policy.quick = probe.has_exec() ? kQuickExec : QuickPace{};
  }
  if (probe.timeout_ns() > 0) policy.timeout = Nanos(probe.timeout_ns());
  if (probe.success_threshold() > 0) policy.success_threshold = probe.success_threshold();
  if (probe.failure_threshold() > 0) policy.failure_threshold = probe.failure_threshold();
  return policy;
}

std::optional<ProbePlan> PlanOf(const v1::Probe& probe, ProbeKind kind, const ProbeTarget& target) {
  std::optional<ProbeCall> call = CallOf(probe, target);
  if (!call) return std::nullopt;
  return ProbePlan{PolicyOf(probe, kind), *std::move(call)};
}

std::optional<ProbePolicy> PolicyIn(const std::optional<ProbePlan>& plan) {
  if (!plan) return std::nullopt;
  return plan->policy;
}

}  // namespace

ContainerProbes ProbesOf(const v1::Container& container, const ProbeTarget& target) {
  return {.startup = PlanOf(container.startup_probe(), ProbeKind::kStartup, target),
          .readiness = PlanOf(container.readiness_probe(), ProbeKind::kReadiness, target),
          .liveness = PlanOf(container.liveness_probe(), ProbeKind::kLiveness, target)};
}

ProbePolicies PoliciesOf(const ContainerProbes& probes) {
  return {PolicyIn(probes.startup), PolicyIn(probes.readiness), PolicyIn(probes.liveness)};
}

std::string_view NameOf(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kStartup:
      return "Startup";
    case ProbeKind::kReadiness:
      return "Readiness";
    case ProbeKind::kLiveness:
      return "Liveness";
  }
  return "";
}

}  // namespace updraft::node_agent
