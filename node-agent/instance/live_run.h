// One run of a container on its way through the runtime: snapshot and container side by side, then the task,
// then its start; and back. Tells the state machine what came of it. Loop thread only.
#pragma once

#include <signal.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "node-agent/containerd/container_runtime.h"
#include "node-agent/instance/admission_gate.h"
#include "node-agent/instance/instance_machine.h"
#include "node-agent/instance/spec_source.h"
#include "node-agent/instance/surroundings.h"
#include "node-agent/instance/task_exec_runner.h"

namespace updraft::node_agent {

// What all runs share. Everything outlives them.
struct RunTools {
  Loop& loop;
  const Clock& clock;
  ContainerRuntime& runtime;
  ImageSource& images;
  LogSource& logs;
  SpecSource& specs;
  TaskExecRunner& execs;
  AdmissionGate& gate;
};

class LiveRun {
 public:
  using Tell = std::function<void(Event)>;  // may destroy the run only when it is told Removed

  // `machine` must outlive the run.
  LiveRun(RunTools tools, const InstanceMachine& machine, RunId run, Tell tell);
  ~LiveRun();
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  const std::string& container_id() const { return id_; }
  const RunId& run() const { return run_; }
  LogKey log_key() const;

  // It exists in the runtime already; `record` is what the runtime holds.
  void Adopt(const ContainerRecord& record);

  void PrepareRoot(const UsableImage& image);
  // REQUIRES: PrepareRoot() was called. Tells Created or CreateFailed.
  void Create(const InstanceNetwork& network);
  // Tells Started or StartFailed.
  void Start();
  // Asks the process to end, by its image's stop signal or SIGTERM; or ends it.
  void Signal(int signal);
  // Waits for what is under way, then removes everything, until it succeeds. Tells Removed, last.
  void Remove();

 private:
  template <typename T>
  std::function<void(Result<T>)> Answer(void (LiveRun::*then)(Result<T>));
  void OnRoot(Result<std::vector<SnapshotMount>> root);
  void OnContainer(Status created);
  void OnTask(Result<uint32_t> created);
  void OnStarted(Status started);
  void Continue();
  void MakeContainer();
  void MakeTask();
  void Fail(event::Blame blame, const std::string& message);
  void TearDown();
  void RemoveTask();
  void RemoveRest();
  void OnTornDown(const Status& status);

  const RunTools tools_;
  const InstanceMachine& machine_;
  const RunId run_;
  const std::string id_;
  const Tell tell_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  UsableImage image_;
  InstanceNetwork network_;
  std::vector<PinnedMount> pinned_;
  std::optional<std::vector<SnapshotMount>> root_;
  enum class Step { kNone, kAsked, kDone };
  Step snapshot_ = Step::kNone;
  Step container_ = Step::kNone;
  Step task_ = Step::kNone;
  bool create_wanted_ = false;
  bool failed_ = false;
  bool removing_ = false;
  int calls_ = 0;  // under way
  int stop_signal_ = SIGTERM;
  WallTime claimed_;
  AdmissionGate::Ticket ticket_ = 0;
  int removal_failures_ = 0;
  Loop::TimerId retry_ = 0;
};

// Whose fault an error of the runtime is.
event::Blame BlameOf(const Error& error);

}  // namespace updraft::node_agent
