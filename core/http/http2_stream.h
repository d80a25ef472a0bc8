// One stream of an HTTP/2 connection: the bodies of both directions, and how it ends. What client and
// server share; what fields mean is theirs. Loop thread only.
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/gate.h"
#include "core/http/http2_session.h"
#include "core/http/message.h"
#include "core/http/task.h"

namespace updraft::http {

class Http2Stream {
 public:
  explicit Http2Stream(Http2Session& session);
  // Resets the stream when it is still open.
  virtual ~Http2Stream();
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;

  int32_t id() const { return id_; }
  // Both sides have ended it, or one has reset it, or the connection is gone.
  bool closed() const { return closed_; }

  // ---- for the session, within its Receive() and Pack()

  virtual void OnField(std::string_view name, std::string_view value) = 0;
  // A block of fields is whole; `end`: nothing follows.
  virtual void EndFields(bool end) = 0;
  void AddBody(std::string_view bytes);
  void EndBody();
  void Close(uint32_t error);
  // END_STREAM has been framed.
  void OnEndSent();
  // The next `size` bytes that go out.
  std::string_view TakeOutgoing(size_t size);

  // For the connection: it is gone, and with it all that was not yet over.
  void Lose();

 protected:
  // The stream has ended other than by both sides' END_STREAM. Within Receive() or Pack(), or from
  // Lose(): to wake who waits, no more.
  virtual void OnReset() = 0;

  void SetId(int32_t id) { id_ = id; }
  Http2Session& session() const { return session_; }

  // ---- what comes

  // The next piece, empty at the end; valid until the caller next waits. kUnavailable: reset or lost;
  // kDeadlineExceeded; kCancelled: interrupted.
  Task<Result<std::string_view>> ReadPiece(TimePoint deadline);
  // The same, if it has come already.
  std::optional<Result<std::string_view>> TakePiece();
  bool body_read() const { return in_ended_ && in_at_ == in_.size(); }
  bool body_ready() const { return in_at_ < in_.size() || in_ended_ || closed_; }
  const Headers& trailers() const;
  // Those that would change the message, and those too many, are left out.
  void AddTrailer(std::string_view name, std::string_view value);
  // For waits beside the body's: for a head.
  Gate& incoming() { return incoming_; }

  // ---- what goes

  // What the session asks for the stream's body.
  nghttp2_data_provider Provider();
  // `body` is framed at once as far as windows allow; waits for the rest. Errors as ReadPiece().
  // REQUIRES: the fields before it were submitted with Provider().
  Task<Status> SendPiece(std::string_view body, bool last, const Headers* trailers, TimePoint deadline);
  // Ends what goes, with nothing more of it: at once or behind what still waits.
  void EndSilently();
  // For fields that were submitted with END_STREAM: no body follows.
  void EndOutgoing() { out_ended_ = true; }
  // Until the end of what goes is framed, the stream is closed, or the deadline.
  Task<void> EndSent(TimePoint deadline);
  // Resets the stream, unless it is closed.
  void Reset(uint32_t error);

  void Interrupt();
  void Resume() { interrupted_ = false; }
  bool interrupted() const { return interrupted_; }
  uint32_t error() const { return error_; }
  Error LostError() const;

 private:
  static ssize_t ReadOutgoing(nghttp2_session* raw, int32_t id, uint8_t* bytes, size_t size,
                              uint32_t* flags, nghttp2_data_source* source, void* user);
  ssize_t Offer(size_t size, uint32_t* flags);
  void Consume();

  Http2Session& session_;
  int32_t id_ = -1;  // not yet known
  uint32_t error_ = NGHTTP2_NO_ERROR;
  bool closed_ = false;
  bool interrupted_ = false;

  bool in_ended_ = false;
  std::string in_;         // came
  size_t in_at_ = 0;       // of which this much was handed out
  size_t to_consume_ = 0;  // handed out and still in use: the window is not yet opened for it
  std::unique_ptr<Headers> trailers_;  // few messages have some
  Gate incoming_;

  bool out_ended_ = false;  // `direct_` or `out_` are the last of the body
  bool out_sent_ = false;   // and framed
  bool deferred_ = false;   // the session has asked in vain
  std::string_view direct_;  // of the caller of SendPiece(), while it has not waited
  std::string out_;          // what it waits for
  size_t out_at_ = 0;
  const Headers* out_trailers_ = nullptr;
  Gate outgoing_;
};

// Fields as nghttp2 takes them; it copies them.
class Http2Fields {  // NOLINT(cppcoreguidelines-pro-type-member-init): only the first `count_` fields are of use
 public:
  void Add(std::string_view name, std::string_view value) {
    // What no other message repeats would only push out of the compressor's table what others do.
    const bool once = NameIs(name, "x-request-id") || NameIs(name, "traceparent");
    // NOLINTBEGIN: nghttp2 only reads
    fields_[count_++] = {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                         reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                         static_cast<uint8_t>(once ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)};
    // NOLINTEND
  }
  enum class Length : uint8_t { kKept, kLeftOut };
  // Those of a message that have a meaning in HTTP/2, and room: what belongs to an HTTP/1.1
  // connection is left out. `length`: what becomes of a content-length.
  void AddAll(const Headers& headers, Length length = Length::kKept);
  bool full() const { return count_ == kMax; }
  const nghttp2_nv* data() const { return fields_.data(); }
  size_t size() const { return count_; }

 private:
  static constexpr size_t kMax = 128;
  size_t count_ = 0;
  std::array<nghttp2_nv, kMax> fields_;
};

}  // namespace updraft::http
