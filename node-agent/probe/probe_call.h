// What one probe attempt does, and how a container's probes read from its spec.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "node-agent/probe/probe_machine.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

struct TcpCall {
  std::string ip{};
  uint16_t port = 0;
};

// GET; 200 to 399 is a success. Redirects are not followed: an answer of 3xx is a success already.
struct HttpCall {
  std::string ip{};
  uint16_t port = 0;
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>>
      headers{};     // Host, User-Agent and Accept replace ours
  bool tls = false;  // certificates are not verified
};

// grpc.health.v1.Health/Check without TLS; SERVING is a success.
struct GrpcCall {
  std::string ip{};
  uint16_t port = 0;
  std::string service{};
};

// Exit code 0 is a success.
struct ExecCall {
  std::string container_id{};
  std::vector<std::string> command{};
};

using ProbeCall = std::variant<TcpCall, HttpCall, GrpcCall, ExecCall>;

struct ProbeOutcome {
  ProbeResult result = ProbeResult::kUnknown;
  std::string message{};  // of a failure, worded as kubelet's events are
};

// Where the container that is probed can be reached.
struct ProbeTarget {
  std::string ip{};
  uint16_t serving_port = 0;  // what port 0 in a probe stands for
  std::string container_id{};
};

struct ProbePlan {
  ProbePolicy policy{};
  ProbeCall call{};
};

struct ContainerProbes {
  std::optional<ProbePlan> startup = std::nullopt;
  std::optional<ProbePlan> readiness = std::nullopt;
  std::optional<ProbePlan> liveness = std::nullopt;
};

// Reads the probes of `container`; fields that are 0 get Kubernetes' defaults, a readiness probe
// with period 0 Knative's aggressive pace. A probe without handler is no probe.
ContainerProbes ProbesOf(const v1::Container& container, const ProbeTarget& target);

ProbePolicies PoliciesOf(const ContainerProbes& probes);

// "Readiness", as it stands in events.
std::string_view NameOf(ProbeKind kind);

}  // namespace updraft::node_agent
