#include "cli/platform/mount_namespace.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "cli/platform/files.h"

namespace updraft::cli {
namespace {

constexpr const char* kUnifiedCgroup = "/sys/fs/cgroup/unified";

Error ErrnoError(const std::string& doing) {
  return {Code::kInternal, doing + ": " + std::generic_category().message(errno)};
}

bool IsNamespaceFile(const std::string& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == NSFS_MAGIC;
}

// In the child: makes the namespace, says so, and lives until told that the parent has pinned it.
[[noreturn]] void HoldNamespace(const PlatformConfig& config, int made, int pinned) {
  eventfd_t value = 0;
  const bool good = unshare(CLONE_NEWNS) == 0 &&
                    mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0 &&
                    (!config.hide_unified_cgroup || umount2(kUnifiedCgroup, MNT_DETACH) == 0);
  eventfd_write(made, good ? 1 : 2);
  eventfd_read(pinned, &value);
  _exit(0);
}

// A namespace can only be pinned on a mount that does not propagate.
Status PrepareFolder(const std::string& folder) {
  if (Status made = MakeFolders(folder); !made) return made;
  if (mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return ErrnoError("bind " + folder);
  if (mount(nullptr, folder.c_str(), nullptr, MS_PRIVATE, nullptr) != 0)
    return ErrnoError("make private " + folder);
  return Ok();
}

}  // namespace

Status EnsureMountNamespace(const PlatformConfig& config) {
  const std::string file = PlatformPaths(config).mount_namespace;
  if (IsNamespaceFile(file)) return Ok();
  if (Status prepared = PrepareFolder(config.run + "/ns"); !prepared) return prepared;
  if (Status written = WriteFile(file, "", 0600); !written) return written;

  const int made = eventfd(0, EFD_CLOEXEC);
  const int pinned = eventfd(0, EFD_CLOEXEC);
  const pid_t child = fork();
  if (child < 0) return ErrnoError("fork");
  if (child == 0) HoldNamespace(config, made, pinned);

  eventfd_t outcome = 0;
  eventfd_read(made, &outcome);
  Status status = Ok();
  const std::string from = "/proc/" + std::to_string(child) + "/ns/mnt";
  if (outcome != 1) {
    status = Error{Code::kInternal, "cannot make a mount namespace"};
  } else if (mount(from.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    status = ErrnoError("pin mount namespace at " + file);
  }
  eventfd_write(pinned, 1);
  waitpid(child, nullptr, 0);
  close(made);
  close(pinned);
  return status;
}

void RemoveMountNamespace(const PlatformConfig& config) {
  const PlatformPaths paths(config);
  umount2(paths.mount_namespace.c_str(), MNT_DETACH);
  umount2((config.run + "/ns").c_str(), MNT_DETACH);
}

}  // namespace updraft::cli
