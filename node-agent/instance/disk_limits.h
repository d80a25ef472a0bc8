// Ends instances whose emptyDirs hold more than their sizeLimit, as Kubernetes does: looked at now and then, since
// nothing on disk keeps them to it. What a single container has in memory is kept to it by its tmpfs.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "node-agent/image/worker_pool.h"
#include "node-agent/instance/instance_host.h"

namespace updraft::node_agent {

// Loop thread only.
class DiskLimits {
 public:
  // `host` must outlive it.
  DiskLimits(Loop& loop, InstanceHost& host, Nanos interval = Seconds(10));
  ~DiskLimits();
  DiskLimits(const DiskLimits&) = delete;
  DiskLimits& operator=(const DiskLimits&) = delete;

 private:
  struct Overrun {
    std::string instance_id;
    std::string message;
  };

  void LookLater();
  void Look();
  std::vector<Overrun> Measure(const std::vector<LimitedDirectory>& directories) const;

  Loop& loop_;
  InstanceHost& host_;
  const Nanos interval_;
  Loop::TimerId timer_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::atomic<bool> stop_ = false;
  WorkerPool worker_{"disk", 1};  // last: its tasks look at `stop_`
};

}  // namespace updraft::node_agent
