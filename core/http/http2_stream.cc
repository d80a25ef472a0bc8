#include "core/http/http2_stream.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/http/parser.h"

namespace updraft::http {
namespace {

constexpr size_t kPieceBytesMax = 64 << 10;
constexpr size_t kKeptBytesMax = 16 << 10;  // a buffer beyond this is given back when it is empty

// What HTTP/2 has other means for (RFC 9113, 8.2.2).
bool IsOfHttp1(std::string_view name) {
  if (name.size() == 7) return NameIs(name, "upgrade");
  if (name.size() == 10) return NameIs(name, "connection") || NameIs(name, "keep-alive");
  return NameIs(name, "proxy-connection") || NameIs(name, "transfer-encoding");
}

}  // namespace

Http2Stream::Http2Stream(Http2Session& session)
    : session_(session), incoming_(session.loop()), outgoing_(session.loop()) {}

Http2Stream::~Http2Stream() {
  if (closed_ || id_ < 0) return;
  session_.Forget(*this);  // first: what follows would tell it of its own end
  nghttp2_session_consume_connection(session_.raw(), to_consume_ + in_.size() - in_at_);
  nghttp2_submit_rst_stream(session_.raw(), NGHTTP2_FLAG_NONE, id_, NGHTTP2_CANCEL);
  session_.Pack();
}

void Http2Stream::AddBody(std::string_view bytes) {
  in_.append(bytes);
  incoming_.Open();
}

void Http2Stream::EndBody() {
  in_ended_ = true;
  incoming_.Open();
}

void Http2Stream::Close(uint32_t error) {
  if (closed_) return;
  const bool whole = in_ended_ && out_sent_ && error == NGHTTP2_NO_ERROR;
  // The other streams must not wait for what this one still holds.
  nghttp2_session_consume_connection(session_.raw(), std::exchange(to_consume_, 0) + in_.size() - in_at_);
  closed_ = true;
  error_ = error;
  incoming_.Open();
  outgoing_.Open();
  if (!whole) OnReset();
}

void Http2Stream::OnEndSent() {
  out_sent_ = true;
  outgoing_.Open();
}

void Http2Stream::AddTrailer(std::string_view name, std::string_view value) {
  if (trailers().size() == kFieldsMax || NameIs(name, "host") || NameIs(name, "content-length")) return;
  if (trailers_ == nullptr) trailers_ = std::make_unique<Headers>();
  trailers_->Add(name, value);
}

const Headers& Http2Stream::trailers() const {
  static const Headers none;
  return trailers_ != nullptr ? *trailers_ : none;
}

Task<void> Http2Stream::EndSent(TimePoint deadline) {
  bool timely = true;
  while (!out_sent_ && !closed_ && timely) {
    Gate::Wait wait(outgoing_, deadline);
    timely = co_await wait;
  }
}

void Http2Stream::Lose() {
  if (closed_) return;
  session_.Forget(*this);  // what it still reads and says may end the stream once more, after this has gone
  closed_ = true;
  error_ = NGHTTP2_CONNECT_ERROR;
  incoming_.Open();
  outgoing_.Open();
  OnReset();
}

Error Http2Stream::LostError() const {
  if (error_ == NGHTTP2_CONNECT_ERROR) return {Code::kUnavailable, "connection lost"};
  return {Code::kUnavailable, std::string("stream reset: ") + nghttp2_http2_strerror(error_)};
}

void Http2Stream::Interrupt() {
  interrupted_ = true;
  incoming_.Open();
  outgoing_.Open();
}

// ---- what comes

// What was handed out has been used: its sender may send as much again.
void Http2Stream::Consume() {
  const size_t used = std::exchange(to_consume_, 0);
  if (used == 0 || closed_) return;
  nghttp2_session_consume(session_.raw(), id_, used);
  session_.Pack();
}

std::optional<Result<std::string_view>> Http2Stream::TakePiece() {
  Consume();
  if (in_at_ < in_.size()) {
    const std::string_view piece = std::string_view(in_).substr(in_at_, kPieceBytesMax);
    in_at_ += piece.size();
    if (!closed_) to_consume_ = piece.size();
    return piece;
  }
  if (in_at_ > 0) {
    in_.clear();
    in_at_ = 0;
    if (in_.capacity() > kKeptBytesMax) in_ = std::string();
  }
  if (in_ended_) return std::string_view();
  if (closed_) return LostError();
  return std::nullopt;
}

Task<Result<std::string_view>> Http2Stream::ReadPiece(TimePoint deadline) {
  bool timely = true;
  while (true) {
    std::optional<Result<std::string_view>> piece = TakePiece();
    if (piece) co_return *std::move(piece);
    if (interrupted_) co_return Error{Code::kCancelled, "interrupted"};
    if (!timely) co_return Error{Code::kDeadlineExceeded, "no more of the body came in time"};
    Gate::Wait wait(incoming_, deadline);
    timely = co_await wait;
  }
}

// ---- what goes

nghttp2_data_provider Http2Stream::Provider() {
  nghttp2_data_provider provider{};
  provider.read_callback = ReadOutgoing;
  return provider;
}

// By the id, for the stream may be gone while its frames are still in nghttp2's queue.
ssize_t Http2Stream::ReadOutgoing(nghttp2_session*, int32_t id, uint8_t*, size_t size,
                                  uint32_t* flags, nghttp2_data_source*, void* user) {
  Http2Stream* const stream = static_cast<Http2Session*>(user)->FindStream(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  return stream->Offer(size, flags);
}

ssize_t Http2Stream::Offer(size_t size, uint32_t* flags) {
  const size_t available = direct_.size() + out_.size() - out_at_;
  if (available == 0 && !out_ended_) {
    deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const size_t taken = std::min(size, available);
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (taken == available && out_ended_) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (out_trailers_ != nullptr) {
      Http2Fields fields;
      fields.AddAll(*out_trailers_);
      out_trailers_ = nullptr;
      if (nghttp2_submit_trailer(session_.raw(), id_, fields.data(), fields.size()) == 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      outgoing_.Open();
    }
  }
  return static_cast<ssize_t>(taken);
}

std::string_view Http2Stream::TakeOutgoing(size_t size) {
  if (!direct_.empty()) {
    const std::string_view taken = direct_.substr(0, size);
    direct_.remove_prefix(taken.size());
    return taken;
  }
  const std::string_view taken = std::string_view(out_).substr(out_at_, size);
  out_at_ += taken.size();
  if (out_at_ == out_.size()) outgoing_.Open();
  return taken;
}

Task<Status> Http2Stream::SendPiece(std::string_view body, bool last, const Headers* trailers,
                                    TimePoint deadline) {
  UPDRAFT_CHECK(!out_ended_);
  if (closed_) co_return LostError();
  Headers kept_trailers;
  direct_ = body;
  out_ended_ = last;
  if (last && trailers != nullptr && !trailers->empty()) out_trailers_ = trailers;
  if (std::exchange(deferred_, false)) nghttp2_session_resume_data(session_.raw(), id_);
  session_.Pack();
  if (direct_.empty() && out_trailers_ == nullptr) co_return Ok();

  // The rest waits for the peer's window, in memory of ours.
  out_.assign(direct_);
  out_at_ = 0;
  direct_ = {};
  if (out_trailers_ != nullptr) {
    kept_trailers = *out_trailers_;
    out_trailers_ = &kept_trailers;
  }
  bool timely = true;
  while ((out_at_ < out_.size() || out_trailers_ != nullptr) && !closed_ && !interrupted_ && timely) {
    Gate::Wait wait(outgoing_, deadline);
    timely = co_await wait;
  }
  const bool sent = out_at_ == out_.size() && out_trailers_ == nullptr;
  out_trailers_ = nullptr;
  if (sent) {
    out_.clear();
    out_at_ = 0;
    if (out_.capacity() > kKeptBytesMax) out_ = std::string();
    co_return Ok();
  }
  if (closed_) co_return LostError();
  if (interrupted_) co_return Error{Code::kCancelled, "interrupted"};
  co_return Error{Code::kDeadlineExceeded, "the peer does not read"};
}

void Http2Stream::EndSilently() {
  if (closed_ || out_ended_) return;
  out_ended_ = true;
  if (std::exchange(deferred_, false)) nghttp2_session_resume_data(session_.raw(), id_);
  session_.Pack();
}

void Http2Stream::Reset(uint32_t error) {
  if (closed_ || id_ < 0) return;
  nghttp2_submit_rst_stream(session_.raw(), NGHTTP2_FLAG_NONE, id_, error);
  session_.Pack();
}

void Http2Fields::AddAll(const Headers& headers, Length length) {
  for (const NamedHeader header : headers) {
    if (full()) return;
    if (length == Length::kLeftOut && header.known == FieldName::kContentLength) continue;
    if (!IsOfHttp1(header.name)) Add(header.name, header.value);
  }
}

}  // namespace updraft::http
