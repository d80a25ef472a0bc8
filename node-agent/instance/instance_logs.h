// The logs of all runs, written by the log store from the fifos that containers' output goes to.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node-agent/instance/surroundings.h"
#include "node-agent/logs/log_store.h"

namespace updraft::node_agent {

class InstanceLogs final : public LogSource {
 public:
  // Fifos are made below `directory`/<instance>. `store` must outlive the logs.
  InstanceLogs(LogStore& store, std::string directory);
  ~InstanceLogs() override;

  void Begin(const v1::InstanceSpec& instance) override;
  void AdoptionIsOver() override;
  Result<TaskStdio> Open(const LogKey& key) override;
  void Finish(const LogKey& key, std::function<void()> done) override;
  std::string TerminationMessage(const LogKey& key) override;
  void End(const std::string& instance_id) override;

 private:
  struct OpenLog {
    std::unique_ptr<ContainerLog> log;
    std::vector<std::function<void()>> finished;  // not empty: it is being finished
  };

  LogStore& store_;
  const std::string directory_;
  std::map<LogKey, OpenLog> open_;
};

}  // namespace updraft::node_agent
