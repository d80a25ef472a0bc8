#include "node-agent/instance/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "core/base/unique_fd.h"

namespace updraft::node_agent {
namespace {

constexpr int kLevelsMax = 200;       // each holds a file descriptor
constexpr int64_t kBlockBytes = 512;  // of st_blocks, whatever the file system's are

class Walk {
 public:
  enum class Purpose { kMeasure, kRemove };
  Walk(Purpose purpose, const std::atomic<bool>& stop) : purpose_(purpose), stop_(stop) {}

  void Children(UniqueFd directory, int level) {
    if (!directory || level > kLevelsMax) return;
    DIR* const stream = fdopendir(directory.get());
    if (stream == nullptr) return;
    directory.Release();  // the stream's
    while (!stop_) {
      const dirent* const entry = readdir(stream);
      if (entry == nullptr) break;
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
      Entry(dirfd(stream), entry->d_name, level);
    }
    closedir(stream);
  }
  int64_t bytes() const { return bytes_; }

 private:
  void Entry(int parent, const char* name, int level) {
    struct stat status {};
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    bytes_ += static_cast<int64_t>(status.st_blocks) * kBlockBytes;
    const bool folder = S_ISDIR(status.st_mode);
    if (folder) {
      Children(UniqueFd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)), level + 1);
    }
    if (purpose_ == Purpose::kRemove && !stop_) unlinkat(parent, name, folder ? AT_REMOVEDIR : 0);
  }

  const Purpose purpose_;
  const std::atomic<bool>& stop_;
  int64_t bytes_ = 0;
};

UniqueFd OpenDirectory(const std::string& directory) {
  return UniqueFd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

}  // namespace

int64_t BytesIn(const std::string& directory, const std::atomic<bool>& stop) {
  Walk walk(Walk::Purpose::kMeasure, stop);
  walk.Children(OpenDirectory(directory), 1);
  return walk.bytes();
}

void RemoveTree(const std::string& directory, const std::atomic<bool>& stop) {
  Walk(Walk::Purpose::kRemove, stop).Children(OpenDirectory(directory), 1);
  if (!stop) rmdir(directory.c_str());
}

}  // namespace updraft::node_agent
