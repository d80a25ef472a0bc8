// Stops blocking work from another thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "core/base/clock.h"

namespace updraft::node_agent {

// Waits and gRPC calls end at once, transfers within a second. Safe for concurrent use.
class CancelToken {
 public:
  CancelToken() = default;
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;

  void Cancel();
  bool cancelled() const;

  // False as soon as the work is cancelled, true when `delay` has passed.
  bool Wait(Nanos delay);

  // Between the two, Cancel() cancels the call. Enter() on a cancelled token cancels it at once.
  void Enter(grpc::ClientContext* call);
  void Leave(grpc::ClientContext* call);

 private:
  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
  std::set<grpc::ClientContext*> calls_;
};

}  // namespace updraft::node_agent
