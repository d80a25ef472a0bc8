#include "node-agent/instance/disk_limits.h"

#include <utility>

#include "node-agent/instance/tree.h"

namespace updraft::node_agent {

DiskLimits::DiskLimits(Loop& loop, InstanceHost& host, Nanos interval) : loop_(loop), host_(host), interval_(interval) {
  LookLater();
}

DiskLimits::~DiskLimits() {
  *alive_ = false;
  stop_ = true;
  loop_.Cancel(timer_);
}

void DiskLimits::LookLater() {
  timer_ = loop_.After(interval_, [this] {
    timer_ = 0;
    Look();
  });
}

void DiskLimits::Look() {
  std::vector<LimitedDirectory> directories = host_.LimitedDirectories();
  if (directories.empty()) return LookLater();
  worker_.Submit([this, alive = alive_, directories = std::move(directories)] {
    std::vector<Overrun> overruns = Measure(directories);
    loop_.Post([this, alive, overruns = std::move(overruns)] {
      if (!*alive) return;
      for (const Overrun& overrun : overruns) host_.Evict(overrun.instance_id, overrun.message);
      LookLater();
    });
  });
}

std::vector<DiskLimits::Overrun> DiskLimits::Measure(const std::vector<LimitedDirectory>& directories) const {
  std::vector<Overrun> overruns;
  for (const LimitedDirectory& directory : directories) {
    if (BytesIn(directory.path, stop_) <= directory.limit.size_limit_bytes()) continue;
    overruns.push_back({directory.instance_id, "Usage of EmptyDir volume \"" + directory.limit.volume() +
                                                   "\" exceeds the limit \"" + directory.limit.size_limit() + "\"."});
  }
  return overruns;
}

}  // namespace updraft::node_agent
