#include "node-agent/containerd/snapshot_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/base/unique_fd.h"

namespace updraft::node_agent {
namespace {

UniqueFd OpenBelow(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

std::vector<std::string> SplitColons(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(':');
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// How overlayfs says that an upper layer has removed a name: a character device 0/0 in its place.
bool IsWhiteout(const struct stat& status) { return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0); }

// An upper layer hides what is below when it removed the file or one of its folders. (An opaque folder holds
// the file itself or hides it too, but images do not replace /etc as a whole.)
bool Hides(int root, const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const UniqueFd fd = OpenBelow(root, path.substr(0, end), O_PATH | O_NOFOLLOW);
    struct stat status {};
    if (fd.get() < 0 || fstat(fd.get(), &status) != 0) return false;
    if (IsWhiteout(status)) return true;
    if (end == std::string::npos) return false;
  }
}

Result<std::string> ReadAll(int fd, size_t bytes_max, const std::string& path) {
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{Code::kInternal, "read " + path + ": " + std::strerror(errno)};
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > bytes_max) {
      return Error{Code::kResourceExhausted, path + " is larger than " + std::to_string(bytes_max) + " bytes"};
    }
  }
}

}  // namespace

Result<std::vector<std::string>> LayerDirectories(const std::vector<SnapshotMount>& mounts) {
  if (mounts.size() == 1 && mounts[0].type == "bind") return std::vector<std::string>{mounts[0].source};
  if (mounts.size() != 1 || mounts[0].type != "overlay") {
    return Error{Code::kUnimplemented, "the snapshotter's mounts are neither overlay nor bind"};
  }
  std::vector<std::string> upper;
  std::vector<std::string> lower;
  for (const std::string& option : mounts[0].options) {
    if (option.starts_with("upperdir=")) upper.push_back(option.substr(9));
    if (option.starts_with("lowerdir=")) lower = SplitColons(std::string_view(option).substr(9));
  }
  upper.insert(upper.end(), lower.begin(), lower.end());
  return upper;
}

Result<std::optional<std::string>> ReadSnapshotFile(const std::vector<std::string>& layers, const std::string& path,
                                                    size_t bytes_max) {
  for (const std::string& layer : layers) {
    const UniqueFd root(open(layer.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) return Error{Code::kInternal, "open layer " + layer + ": " + std::strerror(errno)};
    // O_NONBLOCK: a fifo in the image must not hold us up.
    const UniqueFd file = OpenBelow(root.get(), path, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (file.get() >= 0 && fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) {
      Result<std::string> text = ReadAll(file.get(), bytes_max, path);
      if (!text) return text.error();
      return std::optional(std::move(*text));
    }
    if (Hides(root.get(), path)) return std::optional<std::string>();
  }
  return std::optional<std::string>();
}

}  // namespace updraft::node_agent
