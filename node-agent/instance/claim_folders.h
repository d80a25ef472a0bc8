// The directories of PersistentVolumeClaims on this node: each is made when an instance first mounts it
// (run_files.h), and removed when its claim is gone and no instance uses it any more.
#pragma once

#include <atomic>
#include <functional>
#include <set>
#include <string>

#include "node-agent/image/worker_pool.h"

namespace updraft::node_agent {

// Loop thread only.
class ClaimFolders {
 public:
  using InUse = std::function<bool(const std::string& claim)>;

  // `root` is what they lie in; it need not be there yet.
  ClaimFolders(std::string root, InUse in_use);
  // Waits for a removal under way to stop; the rest is removed by the next agent.
  ~ClaimFolders();
  ClaimFolders(const ClaimFolders&) = delete;
  ClaimFolders& operator=(const ClaimFolders&) = delete;

  // All claims that there are: the directories of others go.
  void KeepOnly(const std::set<std::string>& claims);
  void Remove(const std::string& claim);
  // What it used may be free now.
  void OnInstanceOver() { Sweep(); }

 private:
  void Sweep();
  void Dispose(const std::string& name);

  const std::string root_;
  const InUse in_use_;
  std::set<std::string> doomed_;  // claims that are gone, and in use
  std::atomic<bool> stop_ = false;
  WorkerPool worker_{"claims", 1};  // last: its tasks look at `stop_`
};

}  // namespace updraft::node_agent
