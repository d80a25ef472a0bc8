#include "cli/restart.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <optional>

#include "cli/platform/config.h"
#include "cli/platform/health.h"
#include "cli/platform/process.h"
#include "cli/platform/programs.h"
#include "cli/wait.h"

namespace updraft::cli {
namespace {

constexpr Nanos kRestartDeadline = Seconds(60);

std::optional<Program> Find(const PlatformConfig& config, const std::string& name) {
  const std::vector<Program> programs = ProgramsOf(config);
  const auto found = std::ranges::find(programs, name, &Program::name);
  // Without containerd nothing can be started; it goes with the platform.
  if (found == programs.end() || name == "containerd") return std::nullopt;
  return *found;
}

Status Ask(const PlatformPaths& paths, const Program& program, const ProcessIdentity& running) {
  if (!program.hands_over) {
    SendSignal(running, SIGTERM);
    return Ok();
  }
  const auto supervisor = ReadPid(paths.pids + "/supervisor");
  if (!supervisor) return Error{Code::kFailedPrecondition, "no supervisor runs; `updraft up` starts one"};
  SendSignal(*supervisor, SIGHUP);
  return Ok();
}

Status AwaitAnother(const std::string& pid_file, const Program& program, const ProcessIdentity& before) {
  return WaitUntil(RealClock().Now() + kRestartDeadline, [&]() -> Status {
    const auto now = ReadPid(pid_file);
    if (!now || *now == before) return Error{Code::kUnavailable, "no other process has been started"};
    return CheckReady(program);
  });
}

}  // namespace

int Restart(const RestartOptions& options) {
  const auto fail = [&options](const std::string& why) {
    std::cerr << "updraft restart " << options.program << ": " << why << "\n";
    return 1;
  };
  if (geteuid() != 0) return fail("root is needed; try with sudo");
  const Result<PlatformConfig> config = LoadPlatform(options.run);
  if (!config) return fail(config.error().message);
  const std::optional<Program> program = Find(*config, options.program);
  if (!program) return fail("no such program; there are activator, autoscaler, controller and node-agent");
  const PlatformPaths paths(*config);
  const std::string pid_file = paths.pids + "/" + program->name;
  const auto before = ReadPid(pid_file);
  if (!before) return fail("it does not run");
  if (const Status asked = Ask(paths, *program, *before); !asked) return fail(asked.error().message);
  if (const Status ready = AwaitAnother(pid_file, *program, *before); !ready) return fail(ready.error().message);
  std::cout << program->name << ": " << before->pid << " is followed by " << ReadPid(pid_file).value_or(ProcessIdentity{}).pid
            << (program->hands_over ? "; the old one finishes what it has.\n" : ".\n");
  return 0;
}

}  // namespace updraft::cli
