#include "cli/platform/runtime_choice.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/platform/files.h"
#include "cli/platform/cgroups.h"

namespace updraft::cli {
namespace {

bool HasMagic(const char* path, long magic) {
  struct statfs info {};
  return statfs(path, &info) == 0 && info.f_type == magic;
}

std::string FindProgram(const std::string& name) {
  for (const char* folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
    const std::string path = std::string(folder) + "/" + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

// A container that needs no image: an empty root with the host's programs bound into it, read-only.
std::string TrialSpec(const std::string& cgroup) {
  using nlohmann::json;
  json mounts = json::array({{{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}},
                             {{"destination", "/dev"}, {"type", "tmpfs"}, {"source", "tmpfs"}}});
  for (const char* folder : {"/usr", "/bin", "/lib", "/lib64"}) {
    if (!std::filesystem::exists(folder)) continue;
    mounts.push_back({{"destination", folder}, {"type", "bind"}, {"source", folder}, {"options", {"rbind", "ro"}}});
  }
  json namespaces = json::array();
  for (const char* type : {"pid", "ipc", "uts", "mount"}) namespaces.push_back({{"type", type}});
  const json spec = {
      {"ociVersion", "1.0.2"},
      {"process",
       {{"terminal", false}, {"user", {{"uid", 0}, {"gid", 0}}}, {"args", {"/bin/true"}}, {"cwd", "/"},
        {"env", {"PATH=/bin:/usr/bin"}}, {"noNewPrivileges", true}}},
      {"root", {{"path", "rootfs"}}},
      {"hostname", "trial"},
      {"mounts", mounts},
      {"linux",
       {{"cgroupsPath", cgroup},
        {"resources", {{"memory", {{"limit", 67108864}}}, {"pids", {{"limit", 16}}}}},
        {"namespaces", namespaces}}}};
  return spec.dump();
}

// Runs argv with its output in `log`; true when it exits with 0.
bool RunToLog(const std::vector<std::string>& argv, bool hide_unified, const std::string& log) {
  std::vector<char*> raw;
  for (const std::string& arg : argv) raw.push_back(const_cast<char*>(arg.c_str()));
  raw.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (hide_unified && (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0 ||
                         umount2("/sys/fs/cgroup/unified", MNT_DETACH) != 0)) {
      _exit(126);
    }
    if (freopen("/dev/null", "r", stdin) == nullptr || freopen(log.c_str(), "w", stdout) == nullptr ||
        dup2(STDOUT_FILENO, STDERR_FILENO) < 0) {
      _exit(126);
    }
    alarm(20);  // a runtime that hangs does not work
    execv(raw[0], raw.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string LastLine(const std::string& file) {
  const std::string text = ReadFile(file) ? *ReadFile(file) : "";
  const size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "it said nothing";
  const size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

std::string WhyNot(const RuntimeTrial& trial) {
  if (trial.binary.empty()) return trial.name + " is not installed";
  return trial.name + " does not work here: " + trial.failure;
}

}  // namespace

CgroupLayout DetectCgroupLayout() {
  if (HasMagic("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC)) return CgroupLayout::kV2;
  if (HasMagic("/sys/fs/cgroup/unified", CGROUP2_SUPER_MAGIC)) return CgroupLayout::kHybrid;
  return CgroupLayout::kV1;
}

std::string ToString(CgroupLayout layout) {
  switch (layout) {
    case CgroupLayout::kV1:
      return "cgroup v1";
    case CgroupLayout::kV2:
      return "cgroup v2";
    case CgroupLayout::kHybrid:
      return "the hybrid cgroup layout";
  }
  return "";
}

Result<RuntimeChoice> ChooseRuntime(const std::string& wanted, CgroupLayout layout, const RuntimeTrial& crun,
                                    const RuntimeTrial& runc) {
  if (wanted != "auto" && wanted != "crun" && wanted != "runc") {
    return Error{Code::kInvalidArgument, "--runtime " + wanted + ": use auto, crun or runc"};
  }
  if (wanted != "runc" && crun.works) {
    std::string reason = crun.version + " works on this host (" + ToString(layout) + ")";
    if (layout == CgroupLayout::kHybrid) reason += ", in a mount namespace without the cgroup2 mount";
    if (wanted == "auto") reason += " and starts containers faster than runc";
    return RuntimeChoice{"crun", crun.binary, reason};
  }
  if (wanted == "crun") return Error{Code::kFailedPrecondition, WhyNot(crun)};
  if (runc.works) {
    std::string reason = runc.version + " works on this host (" + ToString(layout) + ")";
    if (wanted == "auto") reason += "; " + WhyNot(crun);
    return RuntimeChoice{"runc", runc.binary, reason};
  }
  if (wanted == "runc") return Error{Code::kFailedPrecondition, WhyNot(runc)};
  return Error{Code::kFailedPrecondition, "no container runtime works: " + WhyNot(crun) + "; " + WhyNot(runc)};
}

RuntimeTrial TryRuntime(const std::string& name, bool hide_unified_cgroup, const std::string& scratch) {
  RuntimeTrial trial{.name = name, .binary = FindProgram(name), .version = name, .works = false, .failure = ""};
  if (trial.binary.empty()) return trial;
  const std::string folder = scratch + "/trial-" + name;
  const std::string cgroup = "/updraft-trial-" + std::to_string(getpid());
  if (!MakeFolders(folder + "/rootfs") || !WriteFile(folder + "/config.json", TrialSpec(cgroup + "/" + name), 0644)) {
    trial.failure = "cannot write to " + folder;
    return trial;
  }
  if (RunToLog({trial.binary, "--version"}, false, folder + "/version")) {
    const std::string text = *ReadFile(folder + "/version");
    trial.version = text.substr(0, text.find('\n'));
  }
  trial.works = RunToLog({trial.binary, "--root", folder + "/state", "run", "--bundle", folder, cgroup.substr(1) + name},
                         hide_unified_cgroup, folder + "/log");
  if (!trial.works) trial.failure = LastLine(folder + "/log");
  RemoveCgroups(cgroup);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return trial;
}

}  // namespace updraft::cli
