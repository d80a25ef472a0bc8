// Leases keep what a pull has made so far out of the reach of containerd's garbage collector.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/image/containerd_scope.h"

namespace updraft::node_agent {

// Adds something to the scope's lease; `type` is "content" or "snapshots/<snapshotter>". No error
// for what does not exist. Blocks.
Status HoldInLease(const ContainerdScope& scope, const std::string& type, const std::string& id);

// One piece of work's lease. It expires after a day: a pull that was broken off, by an error or by
// the death of this process, finds its bytes again until then. Blocking calls; one thread.
class WorkLease {
 public:
  // `work` names the work: a digest, for example. An earlier attempt's lease is taken up again
  // while it has an hour left. REQUIRES: nobody else does the same work at the same time.
  static Result<WorkLease> Take(const ContainerdScope& scope, const std::string& work,
                                WallTime now);

  // The scope for calls that make things.
  const ContainerdScope& scope() const { return scope_; }

  // Ends this lease and those of earlier attempts at the same work. What an image does not refer to
  // is then collected.
  void Release() const;

 private:
  WorkLease(ContainerdScope scope, std::string work)
      : scope_(std::move(scope)), work_(std::move(work)) {}

  ContainerdScope scope_;
  std::string work_;
};

}  // namespace updraft::node_agent
