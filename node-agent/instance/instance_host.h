// All instances of this node: starts and stops them, adopts those of an earlier agent, and keeps what the runtime
// holds equal to what it knows of. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "node-agent/containerd/container_runtime.h"
#include "node-agent/instance/live_instance.h"

namespace updraft::node_agent {

struct InstanceHostCallbacks {
  // What the runtime held has been taken up: the inventory is complete from now on. Once.
  std::function<void()> ready;
  // An instance has changed. The report with phase STOPPED or FAILED is its last.
  std::function<void(const v1::InstanceReport&)> report;
  // Of containers, and of processes that were added to them. May be unset.
  std::function<void(const TaskExit&)> task_exit = {};
  // Nothing of an instance is left. May be unset.
  std::function<void()> instance_over = {};
  // The runtime can be reached, for the first time or again. May be unset.
  std::function<void()> runtime_connected = {};
};

class InstanceHost final : public RuntimeObserver, public InstanceListener {
 public:
  InstanceHost(const InstanceTools& tools, InstanceHostCallbacks callbacks);
  ~InstanceHost();
  InstanceHost(const InstanceHost&) = delete;
  InstanceHost& operator=(const InstanceHost&) = delete;

  // Connects to the runtime.
  void Open();

  // Whether the inventory is complete, and whether the runtime can be reached.
  bool ready() const { return ready_; }
  Status runtime_status() const;

  // REQUIRES: ready(). One that runs already stays as it is. What cannot be is reported as FAILED.
  void Start(const v1::InstanceSpec& spec);
  // `grace` 0: the instance's own. One that is not known is reported as STOPPED.
  void Stop(const std::string& instance_id, Nanos grace);
  // It has taken more than it may have: it is ended, and reported as FAILED for that. No effect on one that is not
  // known.
  void Evict(const std::string& instance_id, const std::string& message);
  // Refuses to start anything from now on. `done` runs when nothing is left.
  void StopAll(Nanos grace, std::function<void(int stopped)> done);

  // Every instance with its spec.
  v1::InstanceInventory Inventory() const;
  // What those use whose spec asks for it to be reported.
  v1::UsageReport Usage(TimePoint now) const;
  const InstanceMachine* Find(const std::string& instance_id) const;
  std::map<v1::InstancePhase, int> CountByPhase() const;
  std::vector<LimitedDirectory> LimitedDirectories() const;
  // Whether an instance has the directory of this claim mounted, or is about to.
  bool UsesClaim(const std::string& directory) const;

  // For the runtime and the instances.
  void OnRuntimeConnected(RuntimeContents contents) override;
  void OnRuntimeLost(const Error& why) override;
  void OnTaskExit(const TaskExit& exit) override;
  void OnTaskOutOfMemory(const std::string& container_id) override;
  void OnReport(const v1::InstanceReport& report) override;
  void OnOver(const std::string& instance_id) override;

 private:
  LiveInstance& Add(std::shared_ptr<const v1::InstanceSpec> spec);
  void AdoptAll(const RuntimeContents& contents);
  void Compare(const RuntimeContents& contents);
  void RemoveLeftOver(const std::string& container_id);
  void Refuse(const v1::InstanceSpec& spec, const std::string& reason, const std::string& message);
  LiveInstance* Owner(const std::string& container_id);
  void FinishStopAll();

  const InstanceTools tools_;
  const InstanceHostCallbacks callbacks_;
  std::map<std::string, std::unique_ptr<LiveInstance>> instances_;
  std::map<std::string, LiveInstance*> by_container_prefix_;
  bool ready_ = false;
  bool connected_ = false;
  Error lost_why_{Code::kUnavailable, "containerd has not been reached yet"};
  bool stopping_all_ = false;
  int stopped_ = 0;
  std::vector<std::function<void(int)>> stop_all_done_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace updraft::node_agent
