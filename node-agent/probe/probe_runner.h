// One attempt of a probe, against the outside world.
#pragma once

#include <functional>
#include <memory>

#include "core/base/result.h"
#include "node-agent/probe/probe_call.h"

namespace updraft::node_agent {

// An attempt under way. Destroying it cancels it: its callback is not called any more. It may be
// destroyed from within its own callback.
class ProbeAttempt {
 public:
  virtual ~ProbeAttempt() = default;
};

using ProbeDone = std::function<void(ProbeOutcome)>;

// Loop thread only.
class ProbeRunner {
 public:
  virtual ~ProbeRunner() = default;

  // Calls `done` once, on the loop, never from within Start(), and not later than `timeout` from
  // now (a failure then). The attempt must not outlive the runner.
  virtual std::unique_ptr<ProbeAttempt> Start(const ProbeCall& call, Nanos timeout,
                                              ProbeDone done) = 0;
};

// Runs commands in containers. Implemented over containerd's tasks.
class ExecRunner {
 public:
  struct Outcome {
    int exit_code = 0;
    std::string output{};  // the beginning of stdout and stderr together, at most 10 kB
  };
  using Done = std::function<void(Result<Outcome>)>;

  virtual ~ExecRunner() = default;

  // As ProbeRunner::Start(); after `timeout` the process is killed and `done` gets
  // kDeadlineExceeded. Any other error says that the command could not be run, which counts neither
  // for nor against the container.
  virtual std::unique_ptr<ProbeAttempt> Run(const ExecCall& call, Nanos timeout, Done done) = 0;
};

}  // namespace updraft::node_agent
