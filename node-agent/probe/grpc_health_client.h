// The grpc probe: grpc.health.v1.Health/Check, without TLS, a channel for each attempt.
#pragma once

#include <condition_variable>
#include <mutex>

#include "core/base/loop.h"
#include "node-agent/probe/probe_runner.h"

namespace updraft::node_agent {

// Loop thread only; gRPC's threads call back into the loop by Post().
class GrpcHealthClient {
 public:
  explicit GrpcHealthClient(Loop& loop) : loop_(loop) {}
  // Waits for the calls that cancelled attempts left behind: their ends are milliseconds away.
  ~GrpcHealthClient();

  // As ProbeRunner::Start().
  std::unique_ptr<ProbeAttempt> Start(const GrpcCall& call, Nanos timeout, ProbeDone done);

 private:
  struct Call;
  class Attempt;

  void CallEnded();

  Loop& loop_;
  std::mutex mutex_;
  std::condition_variable no_calls_;
  size_t calls_ = 0;  // guarded by mutex_
};

}  // namespace updraft::node_agent
