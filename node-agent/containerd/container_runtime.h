// What instances need of a container runtime: snapshots, containers, tasks, and to hear how tasks end.
// Implemented over containerd (containerd_runtime.h) and in memory for tests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::node_agent {

// How a snapshot is mounted, in mount(8)'s words.
struct SnapshotMount {
  std::string type;  // "overlay", "bind"
  std::string source;
  std::vector<std::string> options;
};

struct ContainerRecord {
  std::string id;
  std::map<std::string, std::string> labels = {};      // at most 4096 bytes each
  std::string image = {};
  std::string snapshot_key = {};
  std::string oci_spec = {};                           // JSON
  std::map<std::string, std::string> extensions = {};  // bytes of our own by name
  WallTime created_at = {};                            // the runtime's answer
};

// Paths of fifos that exist; empty: /dev/null.
struct TaskStdio {
  std::string standard_output = {};
  std::string standard_error = {};
  std::string standard_input = {};
  bool terminal = false;  // one of the process's own: all output is then standard output
};

struct TerminalSize {
  uint32_t columns = 0;
  uint32_t rows = 0;
};

struct TaskExit {
  std::string container_id;
  std::string exec_id = {};   // empty: the container's own process
  uint32_t exit_status = 0;   // 128+n for a signal
  WallTime exited_at = {};
};

enum class TaskStatus { kUnknown, kCreated, kRunning, kStopped, kPaused };

struct TaskState {
  std::string container_id;
  uint32_t pid = 0;
  TaskStatus status = TaskStatus::kUnknown;
  uint32_t exit_status = 0;
  WallTime exited_at = {};
};

// All that the runtime holds in our namespace.
struct RuntimeContents {
  std::vector<ContainerRecord> containers;
  std::vector<TaskState> tasks;
  std::vector<std::string> snapshots;  // keys of those that containers write to
};

// Told on the loop.
class RuntimeObserver {
 public:
  // The runtime can be reached and every later exit will be told. Everything that happened before is in
  // `contents`; what happened meanwhile may be told twice.
  virtual void OnRuntimeConnected(RuntimeContents contents) = 0;
  virtual void OnRuntimeLost(const Error& why) = 0;
  virtual void OnTaskExit(const TaskExit& exit) = 0;
  virtual void OnTaskOutOfMemory(const std::string& container_id) = 0;

 protected:
  ~RuntimeObserver() = default;
};

// Loop thread only. Every `done` runs on the loop, exactly once, never from within the call, and in bounded time
// with kDeadlineExceeded (may or may not have happened) or kUnavailable. Removing what is not there succeeds.
class ContainerRuntime {
 public:
  using Done = std::function<void(Status)>;
  template <typename T>
  using DoneWith = std::function<void(Result<T>)>;

  virtual ~ContainerRuntime() = default;

  // At most one observer; it must outlive the runtime's calls. Connects and stays connected.
  virtual void Observe(RuntimeObserver* observer) = 0;

  // A writable snapshot on top of `parent` that stays until it is removed.
  virtual void PrepareSnapshot(const std::string& key, const std::string& parent,
                               DoneWith<std::vector<SnapshotMount>> done) = 0;
  virtual void RemoveSnapshot(const std::string& key, Done done) = 0;

  virtual void CreateContainer(const ContainerRecord& record, Done done) = 0;
  virtual void SetLabel(const std::string& container_id, const std::string& key, const std::string& value,
                        Done done) = 0;
  virtual void RemoveContainer(const std::string& container_id, Done done) = 0;
  virtual void ReadContainer(const std::string& container_id, DoneWith<ContainerRecord> done) = 0;

  // The runtime's process is there but does not execute the user's program yet. Answers its pid.
  virtual void CreateTask(const std::string& container_id, const std::vector<SnapshotMount>& root,
                          const TaskStdio& stdio, DoneWith<uint32_t> done) = 0;
  // Executes it. Answers when the program has been exec'd.
  virtual void StartTask(const std::string& container_id, Done done) = 0;
  virtual void SignalTask(const std::string& container_id, int signal, Done done) = 0;
  // Removes a task; one that runs is killed first. Answers how it ended, where that is known.
  virtual void RemoveTask(const std::string& container_id, DoneWith<std::optional<TaskExit>> done) = 0;

  // One more process in a running container. `process` is OCI JSON; its exit is told with `exec_id`, maybe before
  // its pid on this machine is answered.
  virtual void StartExec(const std::string& container_id, const std::string& exec_id, const std::string& process,
                         const TaskStdio& stdio, DoneWith<uint32_t> done) = 0;
  // What has been written to its standard input is all: the process reads the end behind it.
  virtual void CloseExecInput(const std::string& container_id, const std::string& exec_id, Done done) = 0;
  virtual void ResizeExec(const std::string& container_id, const std::string& exec_id, TerminalSize size,
                          Done done) = 0;
  virtual void KillExec(const std::string& container_id, const std::string& exec_id, Done done) = 0;
  // Answers when all of its output has been written.
  virtual void RemoveExec(const std::string& container_id, const std::string& exec_id, Done done) = 0;
};

}  // namespace updraft::node_agent
