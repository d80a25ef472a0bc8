#include "core/http/client_connection.h"

#include <limits>

#include "core/http/chunked.h"
#include "core/http/head_writer.h"
#include "core/http/output.h"

namespace updraft::http {
namespace {

Error HeadError(const HeadRead& read) {
  switch (read.end) {
    case HeadRead::End::kRefused:
      return {Code::kInternal, std::string(read.refusal.reason)};
    case HeadRead::End::kTimeout:
    case HeadRead::End::kSlow:
      return {Code::kDeadlineExceeded, "no response in time"};
    case HeadRead::End::kInterrupted:
      return {Code::kCancelled, "interrupted"};
    default:
      return {Code::kUnavailable, "connection closed before a response"};
  }
}

}  // namespace

Task<Result<std::unique_ptr<ClientConnection>>> ClientConnection::Open(Loop& loop,
                                                                       SocketAddress address,
                                                                       TimePoint deadline) {
  Result<UniqueFd> socket = StartConnecting(address);
  if (!socket) co_return socket.error();
  auto connection = std::make_unique<ClientConnection>(loop, *std::move(socket));
  const Status connected = co_await connection->FinishConnecting(deadline);
  if (!connected) co_return connected.error();
  co_return std::move(connection);
}

Task<Status> ClientConnection::FinishConnecting(TimePoint deadline) {
  const WaitEnd wait = co_await stream_.Writable(deadline);
  if (wait == WaitEnd::kTimeout) co_return Error{Code::kDeadlineExceeded, "connect timed out"};
  if (wait == WaitEnd::kInterrupted) co_return Error{Code::kCancelled, "interrupted"};
  co_return ConnectOutcome(stream_.fd());
}

void ClientConnection::Begin(std::string_view method, BodyFraming body, TimePoint deadline) {
  method_ = method;
  deadline_ = deadline;
  chunked_request_ = body == BodyFraming::kChunked;
  request_done_ = false;
  written_ = false;
  answered_ = false;
  framing_ = {};
  body_.reset();
}

// A coroutine only where it must wait: what the kernel takes at once costs no frame.
Task<Status> ClientConnection::Send(Part part) {
  std::optional<ChunkLine> line;
  const bool chunk = chunked_request_ && !part.body.empty();
  thread_local HeadBuffer buffer;
  HeadWriter ending(buffer);
  if (chunk) line.emplace(part.body.size());
  if (chunk) ending.Literal("\r\n");
  if (part.last && chunked_request_) {
    ending.Literal("0\r\n");
    if (part.trailers != nullptr) ending.Fields(*part.trailers, [](const Header&) { return true; });
    ending.Literal("\r\n");
  }
  Pieces pieces;
  pieces.Add(part.head);
  if (line) pieces.Add(line->text());
  pieces.Add(part.body);
  pieces.Add(ending.written());
  const IoState state = pieces.WriteNow(stream_);
  written_ |= pieces.anything_written();
  if (state != IoState::kOk) return FinishSending(state, pieces.Rest(), part.last);
  request_done_ = part.last;
  return Task<Status>::Ended();
}

Task<Status> ClientConnection::FinishSending(IoState state, std::string rest, bool last) {
  if (state == IoState::kBroken)
    co_return Error{Code::kUnavailable, "connection closed by the server"};
  const Nanos limit =
      deadline_ == TimePoint::max() ? Nanos::max() : deadline_ - stream_.loop().Now();
  const Status written = co_await WriteRest(stream_, std::move(rest), limit);
  if (!written) co_return written;
  request_done_ = last;
  co_return Ok();
}

RawBody ClientConnection::raw_request() {
  if (chunked_request_ || request_done_ || deadline_ != TimePoint::max()) return {};
  return {&stream_, std::numeric_limits<uint64_t>::max()};
}

void ClientConnection::SentPast(uint64_t bytes, bool last) {
  written_ |= bytes > 0;
  request_done_ = last;
}

Task<Status> ClientConnection::ReadHead() {
  HeadReading reading(input_, deadline_, Nanos::max());
  while (!reading.ended()) {
    const TimePoint deadline = reading.deadline();
    const WaitEnd wait = co_await stream_.Readable(deadline);
    reading.GoOn(wait);
  }
  const HeadRead& read = reading.result();
  using End = HeadRead::End;
  answered_ |= read.end == End::kHead || read.end == End::kCut || read.end == End::kRefused ||
               read.end == End::kSlow;
  if (read.end != End::kHead) co_return HeadError(read);
  const Refusal refusal = ParseResponseHead(read.head, method_, head_, framing_);
  if (refusal) co_return Error{Code::kInternal, std::string(refusal.reason)};
  if (head_.status >= 200 || head_.status == 101) body_.emplace(input_, framing_);
  co_return Ok();
}

Task<Result<std::string_view>> ClientConnection::ReadBody() {
  if (framing_.upgrade) return ReadRaw(input_);
  return body_->Read(deadline_);
}

bool ClientConnection::reusable() const {
  return request_done_ && body_done() && framing_.keep_alive && !framing_.upgrade &&
         !input_.has_unread() && !stream_.hung_up() && !stream_.broken() && !stream_.interrupted();
}

}  // namespace updraft::http
