// One ReadLogs call: carries a log stream's text to its reader, as fast as it is taken.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/base/loop.h"
#include "node-agent/logs/log_store.h"
#include "updraft/v1/node.grpc.pb.h"

namespace updraft::node_agent {

class LogCall final : public grpc::ServerWriteReactor<v1::LogChunk>, public std::enable_shared_from_this<LogCall> {
 public:
  // For the service's method to return: it lives until the call is done. `store` must outlive the gRPC server.
  static LogCall* Accept(Loop& loop, LogStore& store, const v1::ReadLogsRequest& request);

  LogCall(Loop& loop, LogStore& store, v1::ReadLogsRequest request)
      : loop_(loop), store_(store), request_(std::move(request)) {}

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // Loop thread only.
  void Begin();
  void Pump();
  void End(const grpc::Status& status);

  Loop& loop_;
  LogStore& store_;
  const v1::ReadLogsRequest request_;
  std::shared_ptr<LogCall> self_;  // until OnDone
  // Loop thread only, but the chunk belongs to gRPC while it is written.
  std::unique_ptr<LogStream> stream_;
  bool ended_ = false;
  v1::LogChunk chunk_;
};

}  // namespace updraft::node_agent
