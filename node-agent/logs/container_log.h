// Carries what one run of a container writes to its log.
//
// The shim holds the writing ends of two FIFOs, we read them. When the agent dies the output waits
// in the FIFOs, and is read by the next agent's ContainerLog for the same run.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "node-agent/logs/log_file.h"

namespace updraft::node_agent {

struct LogFifos {
  std::string stdout_path{};
  std::string stderr_path{};
};

// Makes both FIFOs, and their folders; those that exist are kept. Before the container's task is
// created.
Status MakeLogFifos(const LogFifos& fifos);

struct ContainerLogOptions {
  LogFileLimits file{};
  size_t record_bytes_max = 16 * 1024;
  Nanos unfinished_line_after =
      Seconds(1);  // a line without an end (a prompt) is written as a piece
};

// Loop thread only. Memory: two lines of at most record_bytes_max, and what a turn reads (64 kB a
// stream). A container that writes faster than the disk takes it is slowed down by its full FIFO.
class ContainerLog {
 public:
  // What it refers to must outlive it. `changed` is called on the loop whenever the log has grown.
  ContainerLog(Loop& loop, const Clock& clock, ContainerLogOptions options, LogCounters& counters,
               std::string log_path, std::function<void()> changed);
  // Stops reading; what the FIFOs hold waits for the next reader.
  ~ContainerLog();
  ContainerLog(const ContainerLog&) = delete;
  ContainerLog& operator=(const ContainerLog&) = delete;

  // Begins to read. Once, before anything else.
  Status Open(const LogFifos& fifos);

  // The task has ended: reads on until the shim has closed its ends, or `patience` has passed, and
  // then takes what is there, removes the FIFOs and calls `done` once, on the loop, never from
  // within Finish(). The log may be destroyed from there.
  void Finish(Nanos patience, std::function<void()> done);

 private:
  class Source;

  void Write(const std::string& records);
  void OnSourceClosed();
  void ScheduleUnfinished();
  void FinishNow();

  Loop& loop_;
  const Clock& clock_;
  const ContainerLogOptions options_;
  LogFile file_;
  const std::function<void()> changed_;
  LogFifos fifos_;
  std::unique_ptr<Source> stdout_;
  std::unique_ptr<Source> stderr_;
  Loop::TimerId unfinished_timer_ = 0;
  Loop::TimerId finish_timer_ = 0;
  std::function<void()> finished_;
};

}  // namespace updraft::node_agent
