// Blocking calls to containerd, as one piece of image work makes them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "node-agent/containerd/client.h"
#include "node-agent/image/cancel.h"

namespace updraft::node_agent {

inline constexpr Nanos kContainerdCallTimeout = Seconds(30);

// What all calls of one piece of work have in common. A value; what it points to must outlive it.
struct ContainerdScope {
  const ContainerdClient* client = nullptr;
  std::string lease = {};         // holds what the calls make; empty: nothing does
  CancelToken* cancel = nullptr;  // nullptr: cannot be cancelled, for cleaning up
};

// The context of one call: namespace, lease, deadline; cancelled with the scope's token.
class ContainerdCall {
 public:
  explicit ContainerdCall(const ContainerdScope& scope, Nanos timeout = kContainerdCallTimeout)
      : cancel_(scope.cancel) {
    scope.client->Prepare(context_, {.deadline = timeout, .lease = scope.lease});
    if (cancel_ != nullptr) cancel_->Enter(&context_);
  }
  ~ContainerdCall() {
    if (cancel_ != nullptr) cancel_->Leave(&context_);
  }
  ContainerdCall(const ContainerdCall&) = delete;
  ContainerdCall& operator=(const ContainerdCall&) = delete;

  grpc::ClientContext* context() { return &context_; }

 private:
  grpc::ClientContext context_;
  CancelToken* const cancel_;
};

// containerd's error with what was being done before it; a full disk becomes kResourceExhausted.
Error ContainerdError(const std::string& doing, const grpc::Status& status);

// Whether the text of an error, whoever wrote it, is about a disk without space.
bool MeansDiskFull(const std::string& text);

}  // namespace updraft::node_agent
