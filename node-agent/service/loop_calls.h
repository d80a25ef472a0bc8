// Unary gRPC calls that are answered by the loop, some time later.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "core/base/grpc_status.h"
#include "core/base/loop.h"

namespace updraft::node_agent {

class LoopCalls {
 public:
  explicit LoopCalls(Loop& loop) : loop_(loop) {}

  // For a service's method to return. Runs `work` on the loop; what it is given is called once, on the loop, to
  // end the call. `work` must not be started after FailAll() has run.
  template <typename Response>
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, Response* response,
                                   std::function<void(std::function<void(Result<Response>)>)> work) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    loop_.Post([this, reactor, response, work = std::move(work)] {
      if (closed_) return reactor->Finish({grpc::StatusCode::UNAVAILABLE, "the node-agent ends"});
      const uint64_t id = next_++;
      open_.emplace(id, reactor);
      work([this, id, response](Result<Response> result) {
        const auto node = open_.extract(id);
        if (node.empty()) return;  // it was ended by FailAll()
        if (!result) return node.mapped()->Finish(ToGrpc(result.error()));
        *response = std::move(result).value();
        node.mapped()->Finish(grpc::Status::OK);
      });
    });
    return reactor;
  }

  // Loop thread only: ends the calls that still wait, and all that are to come.
  void FailAll() {
    closed_ = true;
    for (const auto& [id, reactor] : std::exchange(open_, {})) {
      reactor->Finish({grpc::StatusCode::UNAVAILABLE, "the node-agent ends"});
    }
  }

 private:
  Loop& loop_;
  // Loop thread only.
  bool closed_ = false;
  uint64_t next_ = 1;
  std::map<uint64_t, grpc::ServerUnaryReactor*> open_;
};

}  // namespace updraft::node_agent
