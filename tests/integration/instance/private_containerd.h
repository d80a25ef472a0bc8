// A containerd of the test's own, in a mount namespace where crun works whatever the host's cgroup layout, with
// root, state and socket in a temporary folder. Nothing of it is left behind.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace updraft::node_agent {

class PrivateContainerd {
 public:
  PrivateContainerd();
  ~PrivateContainerd();
  PrivateContainerd(const PrivateContainerd&) = delete;
  PrivateContainerd& operator=(const PrivateContainerd&) = delete;

  // Why the tests cannot run here; empty: they can.
  static std::string Obstacle();

  void Start();
  void Kill(int signal);  // and waits for its end; containers go on

  const std::string& directory() const { return directory_; }
  std::string address() const { return "unix:" + directory_ + "/containerd.sock"; }

  // The key of a committed snapshot with the test program at /app, /etc/passwd, /etc/group and /tmp.
  const std::string& root_snapshot() const { return root_snapshot_; }

  // Of containerd's shims below this one's address; the last argument of each command line says the container's id.
  std::vector<pid_t> Shims(const std::string& container_id = "") const;

 private:
  void MakeRootSnapshot();

  std::string directory_;
  std::string root_snapshot_ = "test-root";
  pid_t pid_ = -1;
};

}  // namespace updraft::node_agent
