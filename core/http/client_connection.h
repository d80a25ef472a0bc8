// A client's side of an HTTP/1.1 connection, for one exchange after the other. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/address.h"
#include "core/http/client_exchange.h"
#include "core/http/input.h"
#include "core/http/message.h"
#include "core/http/stream.h"
#include "core/http/task.h"

namespace updraft::http {

class ClientConnection final : public ClientExchange {
 public:
  // kUnavailable: refused or unreachable; kDeadlineExceeded.
  static Task<Result<std::unique_ptr<ClientConnection>>> Open(Loop& loop, SocketAddress address,
                                                              TimePoint deadline);

  // `socket`: of StartConnecting(); FinishConnecting() comes next.
  ClientConnection(Loop& loop, UniqueFd socket)
      : stream_(loop, std::move(socket)), input_(stream_) {}
  // kUnavailable: refused or unreachable; kDeadlineExceeded; kCancelled: interrupted.
  Task<Status> FinishConnecting(TimePoint deadline);

  Version version() const override { return Version::kHttp1; }
  // REQUIRES: the connection is new or reusable().
  void Begin(std::string_view method, BodyFraming body, TimePoint deadline) override;
  Task<Status> Send(Part part) override;
  Task<Status> ReadHead() override;
  ResponseHead& head() override { return head_; }
  Task<Result<std::string_view>> ReadBody() override;
  std::optional<Result<std::string_view>> TakeBufferedBody() override { return body_->TakeBuffered(); }
  RawBody raw_request() override;
  void SentPast(uint64_t bytes, bool last) override;
  RawBody raw_body() override { return framing_.upgrade ? RawBody{} : body_->raw(); }
  void TakenPast(uint64_t bytes) override { body_->TakenPast(bytes); }
  const Headers& trailers() const override { return body_->trailers(); }
  bool not_received() const override { return !written_; }
  bool answered() const override { return answered_; }
  // How the body of the response is framed. After ReadHead().
  const Framing& framing() const { return framing_; }
  bool body_done() const override { return body_ && body_->done(); }
  // The exchange is whole and the connection ready for the next.
  bool reusable() const;

  void FinishWriting() override { stream_.FinishWriting(); }
  void Interrupt() override { stream_.Interrupt(); }
  Stream& stream() { return stream_; }

 private:
  Task<Status> FinishSending(IoState state, std::string rest, bool last);

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
