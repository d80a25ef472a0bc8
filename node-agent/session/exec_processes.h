// All processes that run in containers for someone who is connected. Those of an agent that is gone are killed: what
// is left of a process stands in its folder of fifos. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/base/loop.h"
#include "node-agent/containerd/container_runtime.h"
#include "node-agent/session/running_exec.h"

namespace updraft::node_agent {

// One of them as the one sees it who is connected. Destroying it ends the process.
class ExecSession {
 public:
  explicit ExecSession(std::shared_ptr<RunningExec> process) : process_(std::move(process)) {}
  ~ExecSession() { process_->Abandon(); }
  ExecSession(const ExecSession&) = delete;
  ExecSession& operator=(const ExecSession&) = delete;

  RunningExec* operator->() const { return process_.get(); }

 private:
  const std::shared_ptr<RunningExec> process_;
};

class ExecProcesses {
 public:
  // Fifos are below `directory`, which is its own. All must outlive it.
  ExecProcesses(Loop& loop, ContainerRuntime& runtime, std::string directory);
  ~ExecProcesses();

  // `changed`: see RunningExec::Start(). kResourceExhausted: so many run already.
  Result<std::unique_ptr<ExecSession>> Start(ExecOrder order, std::function<void()> changed);

  // For the runtime's observer: of containers as well.
  void OnExit(const TaskExit& exit);
  // It can be reached, for the first time or again.
  void OnRuntimeConnected();

  size_t running() const { return processes_.size(); }

 private:
  std::shared_ptr<RunningExec> Add(std::string exec_id, ExecOrder order);
  void OnContainerExit(const std::string& container_id);
  void TakeAwayOthers();

  Loop& loop_;
  ContainerRuntime& runtime_;
  const std::string directory_;
  const std::string id_prefix_;  // no agent before us had it
  uint64_t next_ = 1;
  std::map<std::string, std::shared_ptr<RunningExec>> processes_;  // by exec id; those that may exist
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace updraft::node_agent
