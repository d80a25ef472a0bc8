// A client's side of an HTTP/1.1 connection, for one exchange after the other. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/address.h"
#include "core/http/input.h"
#include "core/http/message.h"
#include "core/http/stream.h"
#include "core/http/task.h"

namespace updraft::http {

class ClientConnection {
 public:
  // kUnavailable: refused or unreachable; kDeadlineExceeded.
  static Task<Result<std::unique_ptr<ClientConnection>>> Open(Loop& loop, SocketAddress address,
                                                              TimePoint deadline);

  // `socket`: of StartConnecting(); FinishConnecting() comes next.
  ClientConnection(Loop& loop, UniqueFd socket)
      : stream_(loop, std::move(socket)), input_(stream_) {}
  // kUnavailable: refused or unreachable; kDeadlineExceeded; kCancelled: interrupted.
  Task<Status> FinishConnecting(TimePoint deadline);

  // Begins an exchange. `body` is how the request's body will be framed, as its head says.
  // REQUIRES: the connection is new or reusable().
  void Begin(std::string_view method, BodyFraming body, TimePoint deadline);

  // Sends the head, whole and with its empty line, before the first piece of the body; then pieces
  // with an empty head. Errors: kUnavailable (closed), kCancelled (interrupted), kDeadlineExceeded.
  struct Part {
    std::string_view head;
    std::string_view body;
    bool last = false;
    const Headers* trailers = nullptr;  // with `last`, in chunks only
  };
  Task<Status> Send(Part part);

  // Reads the next head(): of a 1xx, or of the response itself. kUnavailable: closed before it;
  // kInternal: not HTTP; else as Send().
  Task<Status> ReadHead();
  ResponseHead& head() { return head_; }
  // After a head other than 1xx. The next piece of the body, empty at its end; after a 101, what
  // comes through the tunnel. Errors as BodyReader's.
  Task<Result<std::string_view>> ReadBody();
  // The same, if what has come already has it.
  std::optional<Result<std::string_view>> TakeBufferedBody() { return body_->TakeBuffered(); }
  const Headers& trailers() const { return body_->trailers(); }  // once body_done()

  // Not a byte of the request went out: nobody has seen it.
  bool nothing_written() const { return !written_; }
  // Whether any byte of the response has come: the request was seen.
  bool answered() const { return answered_; }
  // How the body of the response is framed. After ReadHead().
  const Framing& framing() const { return framing_; }
  bool body_done() const { return body_ && body_->done(); }
  // The exchange is whole and the connection ready for the next.
  bool reusable() const;

  // As Stream's, for every wait here.
  void Interrupt() { stream_.Interrupt(); }
  Stream& stream() { return stream_; }

 private:
  Stream stream_;
  Input input_;
  ResponseHead head_;
  std::optional<BodyReader> body_;
  Framing framing_;
  std::string_view method_;
  TimePoint deadline_ = TimePoint::max();
  bool chunked_request_ = false;
  bool request_done_ = false;
  bool written_ = false;
  bool answered_ = false;
};

}  // namespace updraft::http
