// A client's HTTP/2 connection with prior knowledge, and the exchanges on it. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/address.h"
#include "core/http/client_exchange.h"
#include "core/http/http2_session.h"
#include "core/http/http2_stream.h"
#include "core/http/task.h"

namespace updraft::http {

class Http2ClientExchange;

class Http2ClientConnection final : private Http2Session {
 public:
  // Begins to connect, and lives as long as there is someone who owns it: exchanges do.
  // kUnavailable: refused at once.
  static Result<std::shared_ptr<Http2ClientConnection>> Start(Loop& loop, const SocketAddress& address,
                                                              Nanos connect_timeout);
  // `stream` and `input` as Start() makes them.
  Http2ClientConnection(std::unique_ptr<Stream> stream, std::unique_ptr<Input> input);
  ~Http2ClientConnection() override;

  // A further exchange may begin here at once.
  bool has_room() const;
  // Nothing new may begin here, now or later.
  bool over() const { return state_ == State::kOver; }
  size_t exchanges() const { return exchanges_; }
  // Since when there has been none. REQUIRES: exchanges() == 0.
  TimePoint idle_since() const { return idle_since_; }
  // It has carried an exchange to its end.
  bool proven() const { return proven_; }

 private:
  friend class Http2ClientExchange;
  enum class State : uint8_t { kConnecting, kOpen, kOver };

  Task<void> Live(TimePoint connect_deadline);
  Task<void> ReadFrames();
  void End(Error why);
  Http2Stream* OnNewStream(int32_t) override { return nullptr; }
  void OnNotSent(int32_t id) override;
  void Enter(Http2ClientExchange& exchange);
  void Leave(Http2ClientExchange& exchange);

  const std::unique_ptr<Stream> owned_stream_;
  const std::unique_ptr<Input> owned_input_;
  State state_ = State::kConnecting;
  Error why_over_;
  updraft::RingLink open_exchanges_;
  size_t exchanges_ = 0;
  TimePoint idle_since_;
  bool proven_ = false;
  Scope scope_;  // of Live()
};

class Http2ClientExchange final : public ClientExchange, private Http2Stream, private RingLink {
 public:
  explicit Http2ClientExchange(std::shared_ptr<Http2ClientConnection> connection);
  ~Http2ClientExchange() override;

  // Until the connection is there, or is known not to come: kUnavailable, kDeadlineExceeded; kCancelled:
  // interrupted. Before all else.
  Task<Status> Connected();

  Version version() const override { return Version::kHttp2; }
  void Begin(std::string_view method, BodyFraming body, TimePoint deadline) override;
  Task<Status> Send(Part part) override;
  Task<Status> ReadHead() override;
  ResponseHead& head() override { return head_; }
  Task<Result<std::string_view>> ReadBody() override { return ReadPiece(deadline_); }
  std::optional<Result<std::string_view>> TakeBufferedBody() override { return TakePiece(); }
  const Headers& trailers() const override { return Http2Stream::trailers(); }
  bool body_done() const override { return body_read(); }
  bool not_received() const override;
  bool answered() const override { return answered_; }
  void FinishWriting() override { EndSilently(); }
  void Interrupt() override { Http2Stream::Interrupt(); }

 private:
  friend class Http2ClientConnection;

  void OnField(std::string_view name, std::string_view value) override;
  void EndFields(bool end) override;
  void OnReset() override {}

  const std::shared_ptr<Http2ClientConnection> connection_;
  TimePoint deadline_ = TimePoint::max();
  std::vector<ResponseHead> heads_;  // came and were not yet read: interim ones and the last
  ResponseHead coming_;
  ResponseHead head_;
  size_t head_bytes_ = 0;
  bool too_large_ = false;
  bool head_done_ = false;  // another block of fields is trailers
  bool answered_ = false;
  bool submitted_ = false;
  bool never_sent_ = false;
};

}  // namespace updraft::http
