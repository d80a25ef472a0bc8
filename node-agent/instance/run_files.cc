#include "node-agent/instance/run_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "core/base/unique_fd.h"
#include "node-agent/network/resolv_conf.h"

namespace updraft::node_agent {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTerminationBytesMax = 4096;
constexpr size_t kResolvConfBytesMax = 1 << 20;
constexpr char kResolvedServers[] = "/run/systemd/resolve/resolv.conf";

Error Failed(const std::string& doing, int code) {
  const Code kind = code == ENOSPC || code == EDQUOT ? Code::kResourceExhausted : Code::kInternal;
  return {kind, doing + ": " + std::strerror(code)};
}

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return Failed("create " + path, error.value());
  return Ok();
}

Status WriteFile(const std::string& path, std::string_view content, mode_t mode) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) return Failed("create " + path, errno);
  while (!content.empty()) {
    const ssize_t written = write(fd.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write " + path, errno);
    content.remove_prefix(static_cast<size_t>(written));
  }
  if (fchmod(fd.get(), mode) != 0) return Failed("chmod " + path, errno);  // whatever our umask is
  return Ok();
}

std::string ReadFile(const std::string& path, size_t bytes_max) {
  std::string text;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return text;
  text.resize(bytes_max);
  const ssize_t count = read(fd.get(), text.data(), text.size());
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return text;
}

std::string Hosts(const std::string& ip, const std::string& hostname) {
  return "# Made by Updraft.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
         "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n" +
         ip + "\t" + hostname + "\n";
}

// Relative, and stays below where it starts.
bool IsInside(const std::string& path) {
  const fs::path normal = fs::path(path).lexically_normal();
  return !path.empty() && normal.is_relative() && *normal.begin() != ".." && normal != ".";
}

// A secret's files are for root's eyes only until they are mounted; in there their own mode counts.
Status WriteVolumeFiles(const std::string& volumes, const v1::InstanceSpec& spec) {
  for (const v1::VolumeFile& file : spec.files()) {
    if (!IsInside(file.volume()) || !IsInside(file.path())) {
      return Error{Code::kInvalidArgument, "volume \"" + file.volume() + "\": bad path \"" + file.path() + "\""};
    }
    const fs::path path = fs::path(volumes) / file.volume() / file.path();
    if (Status made = MakeDirectories(path.parent_path()); !made) return made.error();
    const mode_t mode = file.mode() == 0 ? 0644 : static_cast<mode_t>(file.mode() & 0777);
    if (Status written = WriteFile(path, file.content(), mode); !written) return written.error();
  }
  return Ok();
}

// One name, and none that is our own.
bool IsClaimName(const std::string& name) {
  return IsInside(name) && name.front() != '.' && name.find('/') == std::string::npos;
}

// Whoever the container runs as may write it, unless its users have decided otherwise since it was made.
Status MakeClaim(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directory(path, error);
  if (error) return Failed("create " + path, error.value());
  if (made && chmod(path.c_str(), 0777) != 0) return Failed("chmod " + path, errno);
  return Ok();
}

int MountsOf(const v1::InstanceSpec& spec, const std::string& volume) {
  int count = 0;
  const auto add = [&count, &volume](const v1::Container& container) {
    if (std::ranges::any_of(container.mounts(), [&volume](const auto& m) { return m.volume() == volume; })) ++count;
  };
  std::ranges::for_each(spec.containers(), add);
  std::ranges::for_each(spec.init_containers(), add);
  return count;
}

// Memory that one container alone sees is a tmpfs with a limit in its own spec. What several share must be a
// directory, since nothing that we mount now is seen in containerd's mount namespace.
bool IsOwnMemory(const v1::InstanceSpec& spec, const v1::EmptyDir& dir) {
  return dir.memory() && MountsOf(spec, dir.volume()) <= 1;
}

void RemoveChildren(const std::string& directory, const std::function<bool(const std::string&)>& keep) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (keep(entry.path().filename())) continue;
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

Status RunFiles::Start() const {
  for (const std::string& directory :
       {options_.run_directory + "/instances", options_.state_directory + "/volumes", ClaimsDirectory()}) {
    if (Status made = MakeDirectories(directory); !made) return made.error();
    // Secrets are below.
    if (chmod(directory.c_str(), 0700) != 0) return Failed("chmod " + directory, errno);
  }
  const std::string text = ResolvConf(ReadFile(fs::weakly_canonical(options_.resolv_conf).string(), kResolvConfBytesMax),
                                            ReadFile(kResolvedServers, kResolvConfBytesMax));
  return WriteFile(options_.run_directory + "/resolv.conf", text, 0644);
}

Status RunFiles::Write(const v1::InstanceSpec& spec, const std::string& ip) const {
  const std::string directory = InstanceDirectory(spec.instance_id());
  if (Status made = MakeDirectories(directory + "/volumes"); !made) return made.error();
  Status written = WriteFile(directory + "/hosts", Hosts(ip, spec.instance_id()), 0644);
  if (written) written = WriteFile(directory + "/hostname", spec.instance_id() + "\n", 0644);
  if (written && !options_.service_names.empty()) {
    const std::string shared = ReadFile(options_.run_directory + "/resolv.conf", kResolvConfBytesMax);
    written = WriteFile(directory + "/resolv.conf",
                        WithServiceNames(shared, options_.service_names, spec.namespace_()), 0644);
  }
  if (written) written = WriteVolumeFiles(directory + "/volumes", spec);
  if (!written) return written.error();
  for (const v1::EmptyDir& dir : spec.empty_dirs()) {
    if (IsOwnMemory(spec, dir)) continue;
    if (!IsInside(dir.volume())) return Error{Code::kInvalidArgument, "bad volume name \"" + dir.volume() + "\""};
    const std::string path = EmptyDirectory(spec.instance_id(), dir);
    if (Status made = MakeDirectories(path); !made) return made.error();
    if (chmod(path.c_str(), 0777) != 0) return Failed("chmod " + path, errno);
  }
  for (const v1::ClaimVolume& claim : spec.claims()) {
    if (!IsClaimName(claim.directory()))
      return Error{Code::kInvalidArgument, "bad claim \"" + claim.directory() + "\""};
    if (Status made = MakeClaim(ClaimsDirectory() + "/" + claim.directory()); !made) return made.error();
  }
  return Ok();
}

Result<MountSources> RunFiles::Sources(const v1::InstanceSpec& spec, const v1::Container& container) const {
  const std::string directory = InstanceDirectory(spec.instance_id());
  MountSources sources;
  sources.hosts_file = directory + "/hosts";
  sources.hostname_file = directory + "/hostname";
  sources.resolv_conf =
      (options_.service_names.empty() ? options_.run_directory : directory) + "/resolv.conf";
  for (const v1::VolumeFile& file : spec.files()) {
    sources.volumes[file.volume()] = {.directory = directory + "/volumes/" + file.volume(), .read_only = true};
  }
  for (const v1::EmptyDir& dir : spec.empty_dirs()) {
    VolumeSource& source = sources.volumes[dir.volume()];
    if (IsOwnMemory(spec, dir)) {
      source.size_limit_bytes = dir.size_limit_bytes();
    } else {
      source.directory = EmptyDirectory(spec.instance_id(), dir);
    }
  }
  for (const v1::ClaimVolume& claim : spec.claims()) {
    sources.volumes[claim.volume()] = {.directory = ClaimsDirectory() + "/" + claim.directory(),
                                       .read_only = claim.read_only()};
  }
  if (!container.termination_message_path().empty()) {
    sources.termination_file = directory + "/" + container.name() + ".termination";
    // Whoever the container runs as may write it.
    if (Status made = WriteFile(sources.termination_file, "", 0666); !made) return made.error();
  }
  return sources;
}

Result<std::vector<PinnedMount>> RunFiles::Pin(const v1::InstanceSpec& spec, const v1::Container& container) const {
  std::map<std::string, std::string> writable;
  for (const v1::EmptyDir& dir : spec.empty_dirs()) {
    if (!IsOwnMemory(spec, dir)) writable[dir.volume()] = EmptyDirectory(spec.instance_id(), dir);
  }
  for (const v1::ClaimVolume& claim : spec.claims())
    writable[claim.volume()] = ClaimsDirectory() + "/" + claim.directory();
  std::vector<PinnedMount> pinned;
  for (const v1::VolumeMount& mount : container.mounts()) {
    const auto volume = writable.find(mount.volume());
    if (mount.sub_path().empty() || volume == writable.end()) continue;
    Result<PinnedMount> pin = PinSubPath(volume->second, mount.sub_path(), mount.path());
    if (!pin) return Context("volume \"" + mount.volume() + "\"", pin.error());
    pinned.push_back(*std::move(pin));
  }
  return pinned;
}

std::vector<LimitedDirectory> RunFiles::LimitedDirectories(const v1::InstanceSpec& spec) const {
  std::vector<LimitedDirectory> directories;
  for (const v1::EmptyDir& dir : spec.empty_dirs()) {
    if (dir.size_limit_bytes() <= 0 || IsOwnMemory(spec, dir)) continue;
    directories.push_back({spec.instance_id(), dir, EmptyDirectory(spec.instance_id(), dir)});
  }
  return directories;
}

std::string RunFiles::TerminationMessage(const std::string& instance_id, const std::string& container) const {
  return ReadFile(InstanceDirectory(instance_id) + "/" + container + ".termination", kTerminationBytesMax);
}

void RunFiles::Remove(const std::string& instance_id) const {
  std::error_code ignored;
  fs::remove_all(InstanceDirectory(instance_id), ignored);
  fs::remove_all(DiskDirectory(instance_id), ignored);
}

void RunFiles::RemoveOthers(const std::function<bool(const std::string&)>& keep) const {
  RemoveChildren(options_.run_directory + "/instances", keep);
  RemoveChildren(options_.state_directory + "/volumes", keep);
}

std::string RunFiles::InstanceDirectory(const std::string& instance_id) const {
  return options_.run_directory + "/instances/" + instance_id;
}

std::string RunFiles::DiskDirectory(const std::string& instance_id) const {
  return options_.state_directory + "/volumes/" + instance_id;
}

std::string RunFiles::EmptyDirectory(const std::string& instance_id, const v1::EmptyDir& dir) const {
  return (dir.memory() ? InstanceDirectory(instance_id) + "/volumes" : DiskDirectory(instance_id)) + "/" + dir.volume();
}

}  // namespace updraft::node_agent
