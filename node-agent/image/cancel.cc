#include "node-agent/image/cancel.h"

namespace updraft::node_agent {

void CancelToken::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  for (grpc::ClientContext* call : calls_) call->TryCancel();
  changed_.notify_all();
}

bool CancelToken::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

bool CancelToken::Wait(Nanos delay) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, delay, [this] { return cancelled_; });
}

void CancelToken::Enter(grpc::ClientContext* call) {
  const std::lock_guard lock(mutex_);
  if (cancelled_) call->TryCancel();
  calls_.insert(call);
}

void CancelToken::Leave(grpc::ClientContext* call) {
  const std::lock_guard lock(mutex_);
  calls_.erase(call);
}

}  // namespace updraft::node_agent
