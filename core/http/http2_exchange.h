// An exchange on a stream of a client's HTTP/2 connection. Loop thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/ring.h"
#include "core/http/exchange.h"
#include "core/http/frame_pool.h"
#include "core/http/http2_stream.h"
#include "core/http/parser.h"
#include "core/http/server.h"

namespace updraft::http {

class Http2Exchange;

// Told when a request's head is whole. Within the session's Receive().
class Http2HeadObserver {
 public:
  virtual void OnWhole(Http2Exchange& exchange) = 0;

 protected:
  ~Http2HeadObserver() = default;
};

// A head whose fields are coming: one at a time on a connection, in memory that is used again.
struct Http2ComingHead {
  std::string authority;
  std::string protocol;  // of an extended CONNECT
  std::string cookies;   // HTTP/2 may cut the field up
  Headers headers;
  size_t bytes = 0;

  // Memory beyond a usual head's is given back.
  void Clear();
};

// A WebSocket of RFC 8441 looks to handlers as one of HTTP/1.1: a GET that asks for an upgrade, to be
// answered with 101.
class Http2Exchange final : public Exchange, public Http2Stream, public RingLink {
 public:
  // All references must outlive it.
  Http2Exchange(Http2Session& session, int32_t id, const ConnectionInfo& connection,
                const ServerOptions& options, Http2ComingHead& coming,
                Http2HeadObserver& observer);
  static void* operator new(size_t size) { return AllocateFrame(size); }
  static void operator delete(void* object, size_t size) { FreeFrame(object, size); }

  Task<Result<std::string_view>> ReadView() override;
  Task<Status> Send(Part part) override;
  void Abort() override;
  void Interrupt() override { Http2Stream::Interrupt(); }
  void Resume() override { Http2Stream::Resume(); }
  bool client_lost() const override { return lost_; }
  bool started() const override { return started_; }
  bool upgrade_requested() const override { return upgrade_; }
  bool body_pending() const override { return !upgrade_ && !body_read(); }
  bool body_ready() const override { return Http2Stream::body_ready(); }
  std::optional<uint64_t> body_length() const override { return upgrade_ ? 0 : body_length_; }
  const Headers& trailers() const override { return Http2Stream::trailers(); }
  void WithholdContinue() override { continue_pending_ = false; }
  bool continue_expected() const override { return continue_expected_; }

  void OnField(std::string_view name, std::string_view value) override;
  void EndFields(bool end) override;

  // ---- for the connection

  // Set: the answer, in place of a handler's.
  Refusal refusal() const { return refusal_; }
  bool finished() const { return finished_ && !aborted_; }
  // After the handler: the response goes out to its end, and nothing more comes in.
  Task<void> Conclude();

 private:
  void OnReset() override;
  void OnPseudoField(std::string_view name, std::string_view value);
  void Refuse(int status, std::string_view reason);
  void FinishHead();
  void BecomeUpgrade();
  void CheckHead(bool end);
  void Submit(const ResponseHead& head, const Part& part);
  bool TakeFromLength(const Part& part);
  Task<Status> SendInterim(const ResponseHead& head);
  Task<Result<std::string_view>> ReadAfterContinue();
  TimePoint Deadline(Nanos limit) const;

  const ServerOptions& options_;
  Http2HeadObserver& observer_;
  RequestHead head_;
  Http2ComingHead& coming_;  // until head_done_
  size_t trailer_bytes_ = 0;
  std::optional<uint64_t> body_length_;
  Refusal refusal_;
  bool has_host_ = false;
  bool head_done_ = false;
  bool upgrade_ = false;
  bool continue_expected_ = false;
  bool continue_pending_ = false;
  bool started_ = false;
  bool no_body_ = false;  // the response has none, whatever is sent
  std::optional<uint64_t> left_;  // of a response that states its length
  bool finished_ = false;
  bool aborted_ = false;
  bool lost_ = false;
};

}  // namespace updraft::http
