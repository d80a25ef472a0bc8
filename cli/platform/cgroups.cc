#include "cli/platform/cgroups.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace updraft::cli {
namespace {

namespace fs = std::filesystem;

// A folder and all folders below it, deepest first.
std::vector<fs::path> TreeOf(const fs::path& top) {
  std::vector<fs::path> folders = {top};
  std::error_code error;
  for (fs::recursive_directory_iterator it(top, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory(error)) folders.push_back(it->path());
  }
  std::ranges::reverse(folders);
  return folders;
}

}  // namespace

std::vector<std::string> CgroupFolders(const std::string& name) {
  std::vector<std::string> folders;
  std::error_code error;
  if (fs::is_directory("/sys/fs/cgroup" + name, error)) folders.push_back("/sys/fs/cgroup" + name);
  for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup", error)) {
    const std::string folder = hierarchy.path().string() + name;
    if (!hierarchy.is_symlink(error) && fs::is_directory(folder, error)) folders.push_back(folder);
  }
  return folders;
}

std::vector<pid_t> CgroupProcesses(const std::string& name) {
  std::set<pid_t> pids;
  for (const std::string& top : CgroupFolders(name)) {
    for (const fs::path& folder : TreeOf(top)) {
      std::ifstream in(folder / "cgroup.procs");
      for (pid_t pid = 0; in >> pid;) pids.insert(pid);
    }
  }
  return {pids.begin(), pids.end()};
}

bool RemoveCgroups(const std::string& name) {
  bool all = true;
  for (const std::string& top : CgroupFolders(name)) {
    for (const fs::path& folder : TreeOf(top)) all = rmdir(folder.c_str()) == 0 && all;
  }
  return all;
}

}  // namespace updraft::cli
