#include "node-agent/network/netns.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "core/base/loop.h"

namespace updraft::node_agent {
namespace {

constexpr char kOwnNamespace[] = "/proc/thread-self/ns/net";

// Settings that only the namespace itself can have. What the kernel does not know is left.
void SetInside(const char* file, std::string_view value) {
  const UniqueFd fd(open(file, O_WRONLY | O_CLOEXEC));
  if (fd) [[maybe_unused]]
    const ssize_t written = write(fd.get(), value.data(), value.size());
}

// On a thread that ends right after: the namespace must not be left by mistake.
Result<NewNamespace> MakeHere(const std::string& path) {
  if (unshare(CLONE_NEWNET) != 0) return ErrnoError("make a network namespace", errno);
  // Users without root may listen on any port, as containers have it everywhere else.
  SetInside("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  SetInside("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
  // No link-local address, hence none of the multicast that each one costs every port of the
  // bridge.
  SetInside("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1");
  SetInside("/proc/sys/net/ipv6/conf/default/accept_ra", "0");
  if (mount(kOwnNamespace, path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return ErrnoError("pin a network namespace at " + path, errno);
  }
  auto socket = NetlinkSocket::Open();
  if (!socket) return socket.error();
  UniqueFd fd(open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
  if (!fd) return ErrnoError("open a network namespace", errno);
  return NewNamespace{.fd = std::move(fd), .socket = std::move(socket).value()};
}

}  // namespace

Result<NewNamespace> MakeNamespace(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!file) return ErrnoError("make " + path, errno);
  std::optional<Result<NewNamespace>> made;
  {
    const NamedThread helper("netns", [&made, &path] { made = MakeHere(path); });
  }
  if (!*made) {
    const Error error = made->error();
    const Status removed = RemoveNamespace(path);
    if (!removed) return Context(error.message, removed.error());
    return error;
  }
  return std::move(*made);
}

Status RemoveNamespace(const std::string& path) {
  // EINVAL: nothing is mounted there, or only in another mount namespace, which goes with it.
  if (umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT) {
    return ErrnoError("let go of " + path, errno);
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError("remove " + path, errno);
  return Ok();
}

bool IsNamespace(const std::string& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == NSFS_MAGIC;
}

Status RunInNamespace(const std::string& path, const std::function<void()>& body) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return ErrnoError("open " + path, errno);
  int error = 0;
  {
    const NamedThread helper("netns", [&] {
      if (setns(fd.get(), CLONE_NEWNET) != 0) {
        error = errno;
      } else {
        body();
      }
    });
  }
  if (error != 0) return ErrnoError("enter " + path, error);
  return Ok();
}

}  // namespace updraft::node_agent
