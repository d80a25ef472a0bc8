#include "cli/up.h"

#include <sys/file.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/platform/files.h"
#include "cli/platform/health.h"
#include "cli/platform/mount_namespace.h"
#include "cli/platform/process.h"
#include "cli/platform/programs.h"
#include "cli/platform/runtime_choice.h"
#include "cli/wait.h"

namespace updraft::cli {
namespace {

constexpr Nanos kReadyDeadline = Seconds(60);
constexpr int kRestartsMax = 5;

// True while a supervisor holds the lock of the platform.
bool IsSupervised(const PlatformPaths& paths) {
  const int lock = open(paths.lock_file.c_str(), O_RDWR | O_CLOEXEC);
  if (lock < 0) return false;
  const bool held = flock(lock, LOCK_EX | LOCK_NB) != 0;
  close(lock);
  return held;
}

Status PrepareFolders(const PlatformConfig& config) {
  const PlatformPaths paths(config);
  for (const std::string& folder :
       {config.run, config.run + "/containerd", paths.pids, paths.logs, config.state + "/controller",
        config.state + "/node-agent"}) {
    if (Status made = MakeFolders(folder); !made) return made;
  }
  chmod(config.run.c_str(), 0711);
  chmod((config.state + "/controller").c_str(), 0700);  // specs hold secrets
  return Ok();
}

Status ChooseAndRemember(PlatformConfig& config) {
  const CgroupLayout layout = DetectCgroupLayout();
  config.hide_unified_cgroup = layout == CgroupLayout::kHybrid && config.system_containerd.empty();
  const RuntimeTrial crun = TryRuntime("crun", config.hide_unified_cgroup, config.run);
  const RuntimeTrial runc = TryRuntime("runc", config.hide_unified_cgroup, config.run);
  Result<RuntimeChoice> choice = ChooseRuntime(config.runtime, layout, crun, runc);
  if (!choice) return choice.error();
  config.runtime = choice->name;
  config.runtime_binary = choice->binary;
  config.runtime_reason = choice->reason;
  return Ok();
}

// How often the supervisor has started the program again.
int RestartsOf(const PlatformPaths& paths, const std::string& name) {
  const Result<std::string> text = ReadFile(paths.status_file);
  const auto status = nlohmann::json::parse(text ? *text : "", nullptr, /*allow_exceptions=*/false);
  if (!status.is_array()) return 0;
  for (const auto& entry : status) {
    if (entry.value("name", "") == name) return entry.value("restarts", 0);
  }
  return 0;
}

std::string LastLogLine(const std::string& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) last = line;
  return last;
}

Status AwaitReady(const PlatformConfig& config) {
  const PlatformPaths paths(config);
  const TimePoint deadline = RealClock().Now() + kReadyDeadline;
  for (const Program& program : ProgramsOf(config)) {
    Status ready = Ok();
    // A program that keeps ending will not become ready by waiting.
    const Status waited = WaitUntil(deadline, [&] {
      ready = CheckReady(program);
      return ready || RestartsOf(paths, program.name) >= kRestartsMax ? Ok() : ready;
    });
    if (!waited || !ready) {
      const std::string log = paths.logs + "/" + program.name + ".log";
      return Error{Code::kUnavailable, program.name + " did not become ready: " + ready.error().message +
                                           "; the last line of " + log + " is\n  " + LastLogLine(log)};
    }
  }
  return Ok();
}

void PrintWelcome(const PlatformConfig& config) {
  const PlatformPaths paths(config);
  const std::string& http = config.http_addresses.front();
  std::cout << "Updraft is up.\n"
            << "  services   http://NAME.NAMESPACE." << config.domain << http.substr(http.rfind(':')) << "\n"
            << "  API        http://" << config.api_address << "\n"
            << "  runtime    " << config.runtime << ": " << config.runtime_reason << "\n"
            << "  kubeconfig " << paths.kubeconfig << "\n"
            << "  logs       " << paths.logs << "\n"
            << "Next:\n"
            << "  export KUBECONFIG=" << paths.kubeconfig << "\n"
            << "  updraft image load IMAGE.tar     # or let it be pulled from a registry\n"
            << "  kubectl apply -f service.yaml    # or: updraft apply -f service.yaml\n"
            << "  updraft status                   # what runs; `updraft down` stops everything\n";
}

Status Start(PlatformConfig& config) {
  if (Status made = PrepareFolders(config); !made) return made;
  if (Status chosen = ChooseAndRemember(config); !chosen) return chosen;
  if (Status saved = SavePlatform(config); !saved) return saved;
  const PlatformPaths paths(config);
  if (Status written = WriteFile(paths.containerd_config, ContainerdConfig(config), 0600); !written) return written;
  if (Status written = WriteFile(paths.kubeconfig, Kubeconfig(config), 0644); !written) return written;
  const auto supervisor = Spawn({.argv = {std::filesystem::read_symlink("/proc/self/exe"), "supervise", "--run", config.run},
                                 .log_file = paths.logs + "/supervisor.log",
                                 .mount_namespace = ""});
  if (!supervisor) return supervisor.error();
  if (Status written = WritePid(paths.pids + "/supervisor", *supervisor); !written) return written;
  return AwaitReady(config);
}

}  // namespace

int Up(PlatformConfig wanted) {
  if (geteuid() != 0) {
    std::cerr << "updraft up: root is needed to run containers; try: sudo updraft up\n";
    return 1;
  }
  if (IsSupervised(PlatformPaths(wanted))) {
    const Result<PlatformConfig> running = LoadPlatform(wanted.run);
    std::cout << "Updraft is up already (in " << wanted.run << "); `updraft status` shows it.\n";
    return running ? 0 : 1;
  }
  if (Status started = Start(wanted); !started) {
    std::cerr << "updraft up: " << started.error().message << "\n"
              << "What was started runs on; `updraft down` stops it.\n";
    return 1;
  }
  PrintWelcome(wanted);
  return 0;
}

}  // namespace updraft::cli
