#include "node-agent/image/content_store.h"

#include <github.com/containerd/containerd/api/services/content/v1/content.grpc.pb.h>

#include "core/base/grpc_status.h"

namespace updraft::node_agent {

namespace content = containerd::services::content::v1;

namespace {

constexpr size_t kWriteBytes = 1 << 20;
constexpr Nanos kWriterTimeout = std::chrono::hours(1);
constexpr Nanos kLockedWait = Millis(50);
constexpr int kLockedTriesMax = 200;  // 10 s

// "ref ... locked for 3s": another stream has the unfinished blob open.
bool IsLocked(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         status.error_message().find("locked") != std::string::npos;
}

}  // namespace

struct ContentStore::Stub {
  std::unique_ptr<content::Content::Stub> content;
};

ContentStore::ContentStore(ContainerdScope scope)
    : scope_(std::move(scope)),
      stub_(std::make_unique<Stub>(Stub{content::Content::NewStub(scope_.client->channel())})) {}

ContentStore::~ContentStore() = default;

Result<std::optional<BlobStat>> ContentStore::Find(const std::string& digest) const {
  ContainerdCall call(scope_);
  content::InfoRequest request;
  content::InfoResponse response;
  request.set_digest(digest);
  const grpc::Status status = stub_->content->Info(call.context(), request, &response);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return std::optional<BlobStat>();
  if (!status.ok()) return ContainerdError("look for blob " + digest, status);
  return std::optional(
      BlobStat{.size = response.info().size(),
               .labels = Labels(response.info().labels().begin(), response.info().labels().end())});
}

Result<std::string> ContentStore::Read(const std::string& digest, size_t bytes_max) const {
  ContainerdCall call(scope_);
  content::ReadContentRequest request;
  content::ReadContentResponse response;
  request.set_digest(digest);
  const auto reader = stub_->content->Read(call.context(), request);
  std::string bytes;
  while (reader->Read(&response)) {
    bytes += response.data();
    if (bytes.size() > bytes_max) {
      call.context()->TryCancel();
      reader->Finish();
      return Error{Code::kInvalidArgument,
                   "blob " + digest + " is larger than " + std::to_string(bytes_max) + " bytes"};
    }
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return ContainerdError("read blob " + digest, status);
  return bytes;
}

Status ContentStore::SetLabels(const std::string& digest, const Labels& labels) const {
  ContainerdCall call(scope_);
  content::UpdateRequest request;
  content::UpdateResponse response;
  request.mutable_info()->set_digest(digest);
  for (const auto& [key, value] : labels) {
    request.mutable_info()->mutable_labels()->insert({key, value});
    request.mutable_update_mask()->add_paths("labels." + key);
  }
  const grpc::Status status = stub_->content->Update(call.context(), request, &response);
  if (!status.ok()) return ContainerdError("label blob " + digest, status);
  return Ok();
}

Status ContentStore::Put(const std::string& digest, std::string_view bytes,
                         const Labels& labels) const {
  auto writer = BlobWriter::Open(
      scope_,
      {.ref = "updraft-" + digest, .digest = digest, .size = static_cast<int64_t>(bytes.size())});
  if (!writer) {
    if (writer.error().code != Code::kAlreadyExists) return writer.error();
    return labels.empty() ? Ok() : SetLabels(digest, labels);
  }
  BlobWriter& blob = **writer;
  if (blob.offset() != 0 && blob.offset() != static_cast<int64_t>(bytes.size())) {
    if (Status restarted = blob.Restart(); !restarted) return restarted;
  }
  if (blob.offset() == 0) {
    if (Status written = blob.Write(bytes); !written) return written;
  }
  return blob.Commit(digest, labels);
}

Status ContentStore::Abort(const std::string& ref) const {
  ContainerdCall call(scope_);
  content::AbortRequest request;
  google::protobuf::Empty response;
  request.set_ref(ref);
  const grpc::Status status = stub_->content->Abort(call.context(), request, &response);
  if (status.ok() || status.error_code() == grpc::StatusCode::NOT_FOUND) return Ok();
  return ContainerdError("drop unfinished blob " + ref, status);
}

struct BlobWriter::Stream {
  Stream(const ContainerdScope& scope, const Target& to)
      : call(scope, kWriterTimeout),
        target(to),
        stub(content::Content::NewStub(scope.client->channel())),
        stream(stub->Write(call.context())) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (ended) return;
    // In order, not by cancelling: when this returns the unfinished blob is free for others.
    stream->WritesDone();
    while (stream->Read(&answer)) {  // the status comes behind all answers
    }
    stream->Finish();
  }

  // One request, one answer.
  Status Exchange(const content::WriteContentRequest& request, const std::string& doing) {
    if (!ended && stream->Write(request) && stream->Read(&answer)) return Ok();
    if (ended) return Error{Code::kFailedPrecondition, doing + ": the writer has ended"};
    ended = true;
    status = stream->Finish();
    if (status.ok()) return Error{Code::kInternal, doing + ": containerd ended the stream"};
    return ContainerdError(doing, status);
  }

  ContainerdCall call;
  const Target target;
  const std::unique_ptr<content::Content::Stub> stub;
  const std::unique_ptr<
      grpc::ClientReaderWriter<content::WriteContentRequest, content::WriteContentResponse>>
      stream;
  content::WriteContentResponse answer;
  grpc::Status status;
  bool ended = false;
};

BlobWriter::BlobWriter(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
BlobWriter::~BlobWriter() = default;

Result<std::unique_ptr<BlobWriter>> BlobWriter::Open(const ContainerdScope& scope,
                                                     const Target& target) {
  content::WriteContentRequest request;
  request.set_action(content::STAT);
  request.set_ref(target.ref);
  request.set_expected(target.digest);
  request.set_total(target.size);
  for (int tries = 1;; ++tries) {
    auto stream = std::make_unique<Stream>(scope, target);
    const Status opened = stream->Exchange(request, "open blob " + target.ref);
    if (opened) {
      auto writer = std::unique_ptr<BlobWriter>(new BlobWriter(std::move(stream)));
      writer->offset_ = writer->stream_->answer.offset();
      return writer;
    }
    const bool again = IsLocked(stream->status) && tries < kLockedTriesMax;
    if (!again || scope.cancel == nullptr || !scope.cancel->Wait(kLockedWait))
      return opened.error();
  }
}

Status BlobWriter::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kWriteBytes - buffer_.size());
    buffer_ += part;
    offset_ += static_cast<int64_t>(part.size());
    bytes.remove_prefix(part.size());
    if (buffer_.size() == kWriteBytes) {
      if (Status flushed = Flush(); !flushed) return flushed;
    }
  }
  return Ok();
}

Status BlobWriter::Flush() {
  if (buffer_.empty()) return Ok();
  content::WriteContentRequest request;
  request.set_action(content::WRITE);
  request.set_offset(offset_ - static_cast<int64_t>(buffer_.size()));
  request.set_data(std::exchange(buffer_, {}));
  return stream_->Exchange(request, "write blob " + stream_->target.ref);
}

Status BlobWriter::Restart() {
  buffer_.clear();
  offset_ = 0;
  content::WriteContentRequest request;
  request.set_action(content::WRITE);
  request.set_offset(0);
  return stream_->Exchange(request, "restart blob " + stream_->target.ref);
}

Status BlobWriter::Commit(const std::string& digest, const Labels& labels) {
  content::WriteContentRequest request;
  request.set_action(content::COMMIT);
  request.set_offset(offset_ - static_cast<int64_t>(buffer_.size()));
  request.set_data(std::exchange(buffer_, {}));
  request.set_total(offset_);
  request.set_expected(digest);
  for (const auto& [key, value] : labels) request.mutable_labels()->insert({key, value});
  Status committed = stream_->Exchange(request, "commit blob " + stream_->target.ref);
  if (!committed && committed.error().code == Code::kAlreadyExists) return Ok();
  return committed;
}

}  // namespace updraft::node_agent
