#include "node-agent/probe/network_probe_runner.h"

#include "core/base/check.h"
#include "node-agent/probe/http_attempt.h"

namespace updraft::node_agent {
namespace {

SSL_CTX* UnverifiedTls() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  UPDRAFT_CHECK(context != nullptr);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

std::unique_ptr<ProbeAttempt> Begun(std::unique_ptr<SocketAttempt> attempt) {
  attempt->Begin();
  return attempt;
}

ProbeOutcome OutcomeOf(const Result<ExecRunner::Outcome>& result) {
  if (!result) {
    const bool timed_out = result.error().code == Code::kDeadlineExceeded;
    return {timed_out ? ProbeResult::kFailure : ProbeResult::kUnknown, result.error().message};
  }
  if (result->exit_code == 0) return {ProbeResult::kSuccess, ""};
  return {ProbeResult::kFailure, result->output};
}

}  // namespace

NetworkProbeRunner::NetworkProbeRunner(Loop& loop, ExecRunner& exec)
    : loop_(loop), exec_(exec), grpc_(loop), tls_(UnverifiedTls()) {}

NetworkProbeRunner::~NetworkProbeRunner() { SSL_CTX_free(tls_); }

std::unique_ptr<ProbeAttempt> NetworkProbeRunner::Start(const ProbeCall& call, Nanos timeout,
                                                        ProbeDone done) {
  if (const auto* tcp = std::get_if<TcpCall>(&call)) {
    return Begun(std::make_unique<SocketAttempt>(loop_, SocketAttempt::Peer{tcp->ip, tcp->port},
                                                 timeout, std::move(done)));
  }
  if (const auto* http = std::get_if<HttpCall>(&call)) {
    return Begun(std::make_unique<HttpAttempt>(loop_, *http, tls_, timeout, std::move(done)));
  }
  if (const auto* grpc = std::get_if<GrpcCall>(&call))
    return grpc_.Start(*grpc, timeout, std::move(done));
  return exec_.Run(std::get<ExecCall>(call), timeout,
                   [done = std::move(done)](const Result<ExecRunner::Outcome>& result) {
                     done(OutcomeOf(result));
                   });
}

}  // namespace updraft::node_agent
