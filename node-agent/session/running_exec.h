// One more process in a running container, with its standard streams at our end of fifos. Loop thread only.
//
//   starting ──▶ running ──▶ exited ──▶ all output taken: it has an outcome ──▶ removed
//       └───────────┴─ abandoned: killed with all that it has started ──────────────▲
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "node-agent/containerd/container_runtime.h"
#include "node-agent/session/fifo.h"

namespace updraft::node_agent {

struct ExecOrder {
  std::string container_id;
  std::vector<std::string> command = {};
  bool input = false;     // else its standard input is at its end
  bool terminal = false;  // one of its own
};

struct ExecChunk {
  bool error = false;  // it is of standard error
  std::string data;
};

// Lives until it was removed from the runtime, whoever still wants to know of it.
class RunningExec : public std::enable_shared_from_this<RunningExec> {
 public:
  struct Place {
    Loop& loop;
    ContainerRuntime& runtime;
    std::string folder;  // for its fifos; it goes with them
    std::string exec_id;
  };

  // `removed` runs on the loop, last and once; it may destroy the process.
  RunningExec(Place place, ExecOrder order, std::function<void()> removed);
  ~RunningExec();

  // `changed` runs on the loop whenever anything below may have: look again.
  void Start(std::function<void()> changed);
  // Instead of Start(): an agent that is gone started it, with these fifos; it is killed.
  void TakeAway();

  bool started() const { return started_; }
  // How it ended, once all of its output was taken: the exit code, 128+n for a signal; or why it did not run.
  const std::optional<Result<int>>& outcome() const { return outcome_; }
  std::optional<ExecChunk> Take();

  // It has read what it was given, or has room for it. REQUIRES for Write(): takes_input().
  bool takes_input() const { return started_ && input_.idle(); }
  void Write(std::string data) { input_.Write(std::move(data)); }
  void EndInput();
  void Resize(TerminalSize size);

  // Nobody is there for it any more.
  void Abandon();
  // Its end may have gone by unheard: it is killed, and `why` is its outcome.
  void Lose(Error why);

  const std::string& container_id() const { return order_.container_id; }

  // For the runtime.
  void OnExit(int exit_code);
  // The container's own process has ended, and with it all others; the runtime may not tell of each.
  void OnContainerExit();

 private:
  Status OpenFifos(TaskStdio& stdio);
  void OnFifo();
  void OnRecord(const Result<ContainerRecord>& record);
  void OnStarted(const Result<uint32_t>& pid);
  void OnQuiet();
  void EndIfOver();
  void Fail(Error why);
  void Tell();
  void Discard();
  void Kill();
  void Remove();
  void OnRemoved();

  const Place place_;
  const ExecOrder order_;
  const std::function<void()> removed_;
  std::function<void()> changed_;
  FifoWriter input_;
  FifoReader output_;
  FifoReader error_;
  bool asked_ = false;    // the runtime may know of it
  bool started_ = false;
  bool input_ended_ = false;
  bool abandoned_ = false;
  bool removing_ = false;
  pid_t session_ = 0;  // of the process and what it starts
  std::optional<int> exit_code_;
  std::optional<Result<int>> outcome_;
  Loop::TimerId timer_ = 0;
};

}  // namespace updraft::node_agent
