#include "node-agent/instance/sub_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/base/unique_fd.h"

namespace updraft::node_agent {
namespace {

constexpr int kPlaceOnly = O_PATH | O_NOFOLLOW | O_CLOEXEC;

Error CallFailed(const std::string& what, int code) { return {Code::kInternal, what + ": " + std::strerror(code)}; }

// One step down, into what is there or into a new directory.
UniqueFd Step(int parent, const char* name) {
  UniqueFd fd(openat(parent, name, kPlaceOnly));
  if (fd || errno != ENOENT) return fd;
  if (mkdirat(parent, name, 0777) != 0 && errno != EEXIST) return fd;
  fchmodat(parent, name, 0777, 0);  // whatever our umask is
  fd.Reset(openat(parent, name, kPlaceOnly));
  return fd;
}

}  // namespace

Result<PinnedMount> PinSubPath(const std::string& volume, const std::string& sub_path, const std::string& path) {
  UniqueFd fd(open(volume.c_str(), kPlaceOnly | O_DIRECTORY));
  if (!fd) return CallFailed("open " + volume, errno);
  struct stat status {};
  for (const std::filesystem::path& part : std::filesystem::path(sub_path).relative_path()) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return Error{Code::kInvalidArgument, "subPath \"" + sub_path + "\" leads out of its volume"};
    UniqueFd next = Step(fd.get(), part.c_str());
    if (!next) return CallFailed("subPath \"" + sub_path + "\"", errno);
    fd = std::move(next);
    if (fstat(fd.get(), &status) != 0) return CallFailed("subPath \"" + sub_path + "\"", errno);
    if (S_ISLNK(status.st_mode)) {
      return Error{Code::kInvalidArgument, "subPath \"" + sub_path + "\" leads through a symbolic link"};
    }
  }
  if (fstat(fd.get(), &status) != 0) return CallFailed("subPath \"" + sub_path + "\"", errno);
  return PinnedMount{.path = path, .device = status.st_dev, .inode = status.st_ino};
}

Status CheckPinned(pid_t pid, const std::vector<PinnedMount>& pinned) {
  if (pinned.empty()) return Ok();
  const std::string root_path = "/proc/" + std::to_string(pid) + "/root";
  const UniqueFd root(open(root_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return CallFailed("open " + root_path, errno);
  for (const PinnedMount& mount : pinned) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT;
    const UniqueFd fd(static_cast<int>(syscall(SYS_openat2, root.get(), mount.path.c_str(), &how, sizeof how)));
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0) return CallFailed("look at " + mount.path, errno);
    if (status.st_dev == mount.device && status.st_ino == mount.inode) continue;
    return Error{Code::kFailedPrecondition,
                 "the volume's part for " + mount.path + " was exchanged while it was mounted"};
  }
  return Ok();
}

}  // namespace updraft::node_agent
