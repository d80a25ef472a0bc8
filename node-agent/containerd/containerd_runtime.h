// The container runtime over containerd's API: runtime io.containerd.runc.v2 with crun or runc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node-agent/containerd/client.h"
#include "node-agent/containerd/container_runtime.h"
#include "node-agent/containerd/event_feed.h"

namespace updraft::node_agent {

struct ContainerdRuntimeOptions {
  std::string containerd_namespace = "updraft";
  std::string snapshotter = "overlayfs";
  std::string runtime = "io.containerd.runc.v2";
  std::string runtime_binary = "/usr/bin/crun";
  std::string runtime_root = {};  // where the OCI runtime keeps its state; empty: containerd's choice
};

class ContainerdRuntime final : public ContainerRuntime {
 public:
  // `client` must outlive the runtime.
  ContainerdRuntime(ContainerdClient& client, ContainerdRuntimeOptions options);
  ~ContainerdRuntime() override;

  // "1.6.20": asked of containerd, also the sign that it can be reached.
  void Version(DoneWith<std::string> done);

  void Observe(RuntimeObserver* observer) override;
  void PrepareSnapshot(const std::string& key, const std::string& parent,
                       DoneWith<std::vector<SnapshotMount>> done) override;
  void RemoveSnapshot(const std::string& key, Done done) override;
  void CreateContainer(const ContainerRecord& record, Done done) override;
  void SetLabel(const std::string& container_id, const std::string& key, const std::string& value,
                Done done) override;
  void RemoveContainer(const std::string& container_id, Done done) override;
  void ReadContainer(const std::string& container_id, DoneWith<ContainerRecord> done) override;
  void CreateTask(const std::string& container_id, const std::vector<SnapshotMount>& root, const TaskStdio& stdio,
                  DoneWith<uint32_t> done) override;
  void StartTask(const std::string& container_id, Done done) override;
  void SignalTask(const std::string& container_id, int signal, Done done) override;
  void RemoveTask(const std::string& container_id, DoneWith<std::optional<TaskExit>> done) override;
  void StartExec(const std::string& container_id, const std::string& exec_id, const std::string& process,
                 const TaskStdio& stdio, DoneWith<uint32_t> done) override;
  void CloseExecInput(const std::string& container_id, const std::string& exec_id, Done done) override;
  void ResizeExec(const std::string& container_id, const std::string& exec_id, TerminalSize size, Done done) override;
  void KillExec(const std::string& container_id, const std::string& exec_id, Done done) override;
  void RemoveExec(const std::string& container_id, const std::string& exec_id, Done done) override;

 private:
  struct Stubs;
  struct Listing;

  void List();
  void ListSnapshots(std::shared_ptr<Listing> listing);
  void DeleteTask(const std::string& container_id, DoneWith<std::optional<TaskExit>> done);

  ContainerdClient& client_;
  const ContainerdRuntimeOptions options_;
  const std::string runtime_options_;  // serialised containerd.runc.v1.Options
  const std::unique_ptr<Stubs> stubs_;
  RuntimeObserver* observer_ = nullptr;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  uint64_t connection_ = 0;  // counts; a listing of an earlier one is dropped
  EventFeed feed_;
};

}  // namespace updraft::node_agent
