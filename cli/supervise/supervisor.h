// Keeps the programs of a platform running: starts them, restarts those that end, stops them on SIGTERM.
//
// It is itself expendable. Programs are found again by their pid files, so a supervisor that was killed
// leaves them running, and the next one takes them over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/platform/config.h"
#include "cli/platform/process.h"
#include "cli/platform/programs.h"
#include "cli/supervise/restart_policy.h"
#include "core/base/loop.h"

namespace updraft::cli {

// Loop thread only.
class Supervisor {
 public:
  // `loop` must outlive the supervisor.
  Supervisor(Loop& loop, PlatformConfig config);
  ~Supervisor();

  // Takes over what runs, starts the rest.
  void Start();

  // Starts programs that hand over beside those that run; these end when they have been relieved and
  // have finished what they had.
  void HandOver();

  // Starts nothing any more. What runs is left running: see stop.h.
  void Release();

 private:
  class Watched;
  class Leaving;

  void Launch(Watched& watched);
  void OnEnd(Watched& watched);
  void WriteStatus();
  void ScheduleLogRotation();

  Loop& loop_;
  const PlatformConfig config_;
  const PlatformPaths paths_;
  std::vector<std::unique_ptr<Watched>> programs_;
  std::vector<std::unique_ptr<Leaving>> leaving_;
  bool stopping_ = false;
};

// Runs the supervisor of the platform in `run` until SIGTERM. An exit code.
int RunSupervisor(const std::string& run);

}  // namespace updraft::cli
