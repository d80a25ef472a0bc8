#include "node-agent/service/load_call.h"

#include <utility>

#include "core/base/grpc_status.h"

namespace updraft::node_agent {

LoadCall* LoadCall::Accept(Loop& loop, ImageStore& store) {
  auto call = std::make_shared<LoadCall>(loop, store);
  call->self_ = call;
  call->StartRead(&call->incoming_);
  return call.get();
}

// The next part is read when the loader has room for it.
void LoadCall::OnReadDone(bool ok) {
  const bool begun = loader_ != nullptr;
  if (!ok) {
    if (!begun) return End({grpc::StatusCode::INVALID_ARGUMENT, "the first message is to name the file"});
    return loader_->Finish([this](const Result<std::vector<std::string>>& names) { OnLoaded(names); });
  }
  if (incoming_.has_header() == begun) {
    return End({grpc::StatusCode::INVALID_ARGUMENT,
                begun ? "a second header" : "the first message is to name the file"});
  }
  if (!begun) {
    loop_.Post([self = shared_from_this(), header = incoming_.header()] { self->Begin(header); });
    return;
  }
  loader_->Write(std::move(*incoming_.mutable_data()), [this](const Status& more) {
    if (more) return ReadNext();
    loader_->Finish([this](const Result<std::vector<std::string>>& names) { OnLoaded(names); });
  });
}

// Not after the call was ended, which may be at any time.
void LoadCall::ReadNext() {
  const std::lock_guard lock(mutex_);
  if (!finished_) StartRead(&incoming_);
}

void LoadCall::Begin(const v1::LoadImageHeader& header) {
  loader_ = store_.Load({.file_name = header.file_name(),
                         .size_bytes = header.size_bytes(),
                         .reference = header.reference()},
                        [this](const ImageProgress& progress) { OnProgress(progress); });
  ReadNext();
}

void LoadCall::OnProgress(const ImageProgress& progress) {
  v1::LoadImageProgress message;
  message.set_bytes_done(progress.bytes_done);
  message.set_step(progress.step);
  const std::lock_guard lock(mutex_);
  waiting_ = std::move(message);  // one that was not written yet is out of date
  WriteNextLocked();
}

void LoadCall::OnLoaded(const Result<std::vector<std::string>>& names) {
  if (!names) return End(ToGrpc(names.error()));
  v1::LoadImageProgress last;
  last.set_step("done");
  for (const std::string& name : *names) last.add_references(name);
  {
    const std::lock_guard lock(mutex_);
    waiting_ = std::move(last);
  }
  End(grpc::Status::OK);
}

void LoadCall::End(const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(ended_, true)) return;
  status_ = status;
  if (!status.ok()) waiting_.reset();
  WriteNextLocked();
}

void LoadCall::WriteNextLocked() {
  if (writing_ || finished_) return;
  if (waiting_) {
    outgoing_ = std::move(*waiting_);
    waiting_.reset();
    writing_ = true;
    StartWrite(&outgoing_);
  } else if (ended_) {
    finished_ = true;
    Finish(status_);
  }
}

void LoadCall::OnWriteDone(bool) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  WriteNextLocked();
}

void LoadCall::OnCancel() { End(grpc::Status::CANCELLED); }

void LoadCall::OnDone() {
  // The loader waits for its thread; nothing of the call is touched by it after that.
  loop_.Post([self = std::move(self_)] { self->loader_.reset(); });
}

}  // namespace updraft::node_agent
