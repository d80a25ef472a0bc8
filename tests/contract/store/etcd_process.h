// A real etcd on loopback for tests: one member with a folder and a port of its own, which it keeps
// when it is killed and started again.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace updraft::store {

class EtcdProcess {
 public:
  struct Member {
    std::string folder = {};  // its own; its parent has the sockets of a cluster's members
    std::vector<std::string> flags = {};
    int number = 1;
    int members = 1;
    bool tls = false;
  };

  // Where there is no etcd tests are to be skipped.
  static bool Installed();

  // A member that serves.
  explicit EtcdProcess(Member member);
  ~EtcdProcess();  // kills it and removes the folder
  EtcdProcess(const EtcdProcess&) = delete;
  EtcdProcess& operator=(const EtcdProcess&) = delete;

  // Members that make up one cluster, which serves.
  static std::vector<std::unique_ptr<EtcdProcess>> StartCluster(const std::string& folder,
                                                                int members);

  void Kill();   // kill -9, and waits for its end
  void Start();  // again

  const std::string& endpoint() const { return endpoint_; }  // "127.0.0.1:port"

 private:
  struct Unstarted {};
  EtcdProcess(Member member, Unstarted);
  void Spawn();
  bool AwaitReady();

  const Member member_;
  std::string endpoint_;
  pid_t pid_ = 0;
  int ready_ = -1;  // where it says that it serves
};

}  // namespace updraft::store
