#include "node-agent/service/log_call.h"

#include <utility>

#include "core/base/grpc_status.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kChunkBytes = 64 << 10;

}  // namespace

LogCall* LogCall::Accept(Loop& loop, LogStore& store, const v1::ReadLogsRequest& request) {
  auto call = std::make_shared<LogCall>(loop, store, request);
  call->self_ = call;
  loop.Post([call] { call->Begin(); });
  return call.get();
}

void LogCall::Begin() {
  if (ended_) return;
  Result<std::unique_ptr<LogStream>> stream = store_.Read(request_);
  if (!stream) return End(ToGrpc(stream.error()));
  stream_ = std::move(*stream);
  StartSendInitialMetadata();
  Pump();
}

void LogCall::Pump() {
  if (ended_) return;
  std::string text = stream_->Next(kChunkBytes);
  if (!text.empty()) {
    chunk_.set_data(std::move(text));
    return StartWrite(&chunk_);
  }
  if (stream_->AtEnd()) return End(grpc::Status::OK);
  stream_->OnMore([this] { Pump(); });
}

void LogCall::End(const grpc::Status& status) {
  if (std::exchange(ended_, true)) return;
  stream_.reset();
  Finish(status);
}

void LogCall::OnWriteDone(bool ok) {
  loop_.Post([self = shared_from_this(), ok] {
    if (ok) {
      self->Pump();
    } else {
      self->End(grpc::Status::CANCELLED);
    }
  });
}

void LogCall::OnCancel() {
  loop_.Post([self = shared_from_this()] { self->End(grpc::Status::CANCELLED); });
}

void LogCall::OnDone() {
  loop_.Post([self = std::move(self_)] {});  // the stream is let go of on the loop
}

}  // namespace updraft::node_agent
