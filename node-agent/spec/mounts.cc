#include "node-agent/spec/mounts.h"

#include <vector>

namespace updraft::node_agent {
namespace {

constexpr std::string_view kMasked[] = {
    "/proc/acpi",       "/proc/asound",      "/proc/kcore",  "/proc/keys",
    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
    "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap",
};
constexpr std::string_view kReadOnly[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

nlohmann::json Mount(std::string_view destination, std::string_view type, std::string_view source,
                     std::vector<std::string> options) {
  return {{"destination", destination}, {"type", type}, {"source", source}, {"options", std::move(options)}};
}

nlohmann::json SystemMounts() {
  return nlohmann::json::array({
      Mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
      Mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      Mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      Mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      Mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      Mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      Mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}),
  });
}

nlohmann::json Bind(std::string_view destination, std::string_view source, bool read_only) {
  return Mount(destination, "bind", source, {"rbind", "rprivate", read_only ? "ro" : "rw"});
}

bool LeavesItsFolder(std::string_view path) {
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return false;
}

Result<nlohmann::json> VolumeMount(const v1::VolumeMount& mount, const VolumeSource& source) {
  const bool read_only = mount.read_only() || source.read_only;
  if (!source.directory.empty()) {
    const std::string suffix = mount.sub_path().empty() ? "" : "/" + mount.sub_path();
    return Bind(mount.path(), source.directory + suffix, read_only);
  }
  if (!mount.sub_path().empty()) {
    return Error{Code::kInvalidArgument, "volume \"" + mount.volume() + "\" is in memory and has no subPath"};
  }
  std::vector<std::string> options = {"nosuid", "nodev", "mode=1777", read_only ? "ro" : "rw"};
  if (source.size_limit_bytes > 0) options.push_back("size=" + std::to_string(source.size_limit_bytes));
  return Mount(mount.path(), "tmpfs", "tmpfs", std::move(options));
}

}  // namespace

Result<nlohmann::json> Mounts(const v1::Container& container, const MountSources& sources) {
  nlohmann::json mounts = SystemMounts();
  mounts.push_back(Bind("/etc/hosts", sources.hosts_file, true));
  mounts.push_back(Bind("/etc/hostname", sources.hostname_file, true));
  mounts.push_back(Bind("/etc/resolv.conf", sources.resolv_conf, true));
  if (!container.termination_message_path().empty() && !sources.termination_file.empty()) {
    mounts.push_back(Bind(container.termination_message_path(), sources.termination_file, false));
  }
  for (const v1::VolumeMount& mount : container.mounts()) {
    const auto source = sources.volumes.find(mount.volume());
    if (source == sources.volumes.end()) {
      return Error{Code::kInvalidArgument, "no volume \"" + mount.volume() + "\" for the mount at " + mount.path()};
    }
    if (mount.path().empty() || mount.path().front() != '/' || LeavesItsFolder(mount.path()) ||
        LeavesItsFolder(mount.sub_path())) {
      return Error{Code::kInvalidArgument, "mount of volume \"" + mount.volume() + "\": bad path"};
    }
    Result<nlohmann::json> json = VolumeMount(mount, source->second);
    if (!json) return json.error();
    mounts.push_back(std::move(*json));
  }
  return mounts;
}

std::span<const std::string_view> MaskedPaths() { return kMasked; }
std::span<const std::string_view> ReadOnlyPaths() { return kReadOnly; }

}  // namespace updraft::node_agent
