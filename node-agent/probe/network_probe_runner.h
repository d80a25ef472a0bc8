// Makes probe attempts from the host, over the bridge, to the instance's address; exec through an
// ExecRunner.
#pragma once

#include <openssl/ssl.h>

#include "core/base/loop.h"
#include "node-agent/probe/grpc_health_client.h"
#include "node-agent/probe/probe_runner.h"

namespace updraft::node_agent {

// Loop thread only.
class NetworkProbeRunner final : public ProbeRunner {
 public:
  NetworkProbeRunner(Loop& loop, ExecRunner& exec);
  ~NetworkProbeRunner() override;

  std::unique_ptr<ProbeAttempt> Start(const ProbeCall& call, Nanos timeout,
                                      ProbeDone done) override;

 private:
  Loop& loop_;
  ExecRunner& exec_;
  GrpcHealthClient grpc_;
  SSL_CTX* const tls_;
};

}  // namespace updraft::node_agent
