#include "cli/supervise/stop.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <ranges>

#include "cli/platform/cgroups.h"
#include "cli/platform/files.h"
#include "cli/platform/mount_namespace.h"
#include "cli/platform/process.h"
#include "cli/platform/programs.h"
#include "core/base/clock.h"
#include "core/base/grpc_status.h"
#include "core/base/log.h"
#include "updraft/v1/node.grpc.pb.h"

namespace updraft::cli {
namespace {

constexpr int kProgramGraceMillis = 8000;
constexpr int kKillWaitMillis = 5000;
constexpr Nanos kInstanceGrace = Seconds(5);

Status StopInstances(const PlatformPaths& paths) {
  const auto stub = v1::AgentService::NewStub(
      grpc::CreateChannel("unix:" + paths.agent_socket, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kInstanceGrace + Seconds(10));
  v1::StopAllRequest request;
  request.set_grace_ns(kInstanceGrace.count());
  v1::StopAllResponse response;
  return ToStatus(stub->StopAll(&context, request, &response));
}

void StopProgram(const ProcessIdentity& process, const std::string& name) {
  SendSignal(process, SIGTERM);
  if (!WaitForEnd(process, kProgramGraceMillis)) {
    Log(Level::kWarn, "program_killed", {{"program", name}});
    SendSignal(process, SIGKILL);
    WaitForEnd(process, kKillWaitMillis);
  }
  Reap(process.pid);
}

bool IsShimOf(const std::string& socket, pid_t pid) {
  const Result<std::string> command = ReadFile("/proc/" + std::to_string(pid) + "/cmdline");
  return command && command->find("containerd-shim") != std::string::npos && command->find(socket) != std::string::npos;
}

std::vector<pid_t> ShimsOf(const std::string& socket) {
  std::vector<pid_t> shims;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && IsShimOf(socket, pid)) shims.push_back(pid);
  }
  return shims;
}

void KillAndWait(const std::vector<pid_t>& pids) {
  std::vector<ProcessIdentity> killed;
  for (const pid_t pid : pids) {
    if (const auto process = IdentityOf(pid)) {
      SendSignal(*process, SIGKILL);
      killed.push_back(*process);
    }
  }
  for (const ProcessIdentity& process : killed) WaitForEnd(process, kKillWaitMillis);
}

// The node-agent knows what it made: bridge, addresses, packet filter rules.
Status RemoveNetwork(const PlatformConfig& config) {
  const std::string log = PlatformPaths(config).logs + "/teardown.log";
  const auto teardown = Spawn({.argv = {config.programs + "/node-agent", "--teardown", "--run",
                                        config.run + "/node-agent", "--bridge", config.bridge},
                               .log_file = log,
                               .mount_namespace = access(PlatformPaths(config).mount_namespace.c_str(), F_OK) == 0
                                                      ? PlatformPaths(config).mount_namespace
                                                      : std::string()});
  if (!teardown) return teardown.error();
  const bool ended = WaitForEnd(*teardown, 20'000);
  const std::optional<int> status = Reap(teardown->pid);
  if (!ended || status != 0) return Error{Code::kInternal, "the network was not removed, see " + log};
  return Ok();
}

constexpr std::string_view kLeaving = ".leaving-";

// They were told to end long ago, and the instances that they wait for are about to go.
void StopLeaving(const PlatformPaths& paths) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(paths.pids, error)) {
    const std::string file = entry.path();
    if (file.find(kLeaving) == std::string::npos) continue;
    if (const auto process = ReadPid(file)) {
      SendSignal(*process, SIGKILL);
      WaitForEnd(*process, kKillWaitMillis);
      Reap(process->pid);
    }
    unlink(file.c_str());
  }
}

}  // namespace

std::string LeavingPidFile(const PlatformPaths& paths, const std::string& program, pid_t pid) {
  return paths.pids + "/" + program + std::string(kLeaving) + std::to_string(pid);
}

void StopPrograms(const PlatformConfig& config) {
  const PlatformPaths paths(config);
  const std::vector<Program> programs = ProgramsOf(config);
  StopLeaving(paths);
  for (const Program& program : std::views::reverse(programs)) {
    const std::string pid_file = paths.pids + "/" + program.name;
    const auto process = ReadPid(pid_file);
    if (!process) continue;
    if (program.name == "node-agent") {
      if (Status stopped = StopInstances(paths); !stopped) {
        Log(Level::kWarn, "instances_not_stopped", {{"error", stopped.error().message}});
      }
    }
    StopProgram(*process, program.name);
    unlink(pid_file.c_str());
  }
}

Status RemoveTraces(const PlatformConfig& config) {
  const PlatformPaths paths(config);
  // Shims first: one whose container dies would call its runtime again.
  if (config.system_containerd.empty()) KillAndWait(ShimsOf(paths.containerd_socket));
  KillAndWait(CgroupProcesses(config.cgroup_parent));
  Status network = RemoveNetwork(config);
  RemoveMountNamespace(config);
  const bool cgroups = RemoveCgroups(config.cgroup_parent);
  std::error_code error;
  std::filesystem::remove_all(config.run, error);
  if (!network) return network;
  if (!cgroups) return Error{Code::kInternal, "cgroup " + config.cgroup_parent + " still has processes"};
  if (error) return Error{Code::kInternal, config.run + ": " + error.message()};
  return Ok();
}

}  // namespace updraft::cli
