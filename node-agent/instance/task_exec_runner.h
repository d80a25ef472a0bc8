// Runs the commands of exec probes as further processes of running containers. Loop thread only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/base/loop.h"
#include "node-agent/containerd/container_runtime.h"
#include "node-agent/probe/probe_runner.h"

namespace updraft::node_agent {

class TaskExecRunner final : public ExecRunner {
 public:
  // `directory` is for the fifos that commands write to. All must outlive the runner.
  TaskExecRunner(Loop& loop, ContainerRuntime& runtime, std::string directory);
  ~TaskExecRunner() override;

  // `oci_spec`: the container's own, whose process is the pattern for others.
  void Register(const std::string& container_id, const std::string& oci_spec);
  void Forget(const std::string& container_id);

  std::unique_ptr<ProbeAttempt> Run(const ExecCall& call, Nanos timeout, Done done) override;

  // REQUIRES: exit.exec_id is not empty.
  void OnExit(const TaskExit& exit);

 private:
  class Attempt;

  Loop& loop_;
  ContainerRuntime& runtime_;
  const std::string directory_;
  uint64_t next_ = 1;
  std::map<std::string, std::string> processes_;  // OCI process JSON by container
  std::map<std::string, std::shared_ptr<Attempt>> attempts_;  // by exec id; those whose process may exist
};

}  // namespace updraft::node_agent
