// An exchange on an HTTP/1.1 connection: framing of the body in and of the response out. Loop
// thread only.
#pragma once

#include <string>

#include "core/http/exchange.h"
#include "core/http/head_writer.h"
#include "core/http/input.h"
#include "core/http/server.h"

namespace updraft::http {

class Http1Exchange final : public Exchange {
 public:
  // `draining`: once true, a response that begins is its connection's last. All references must
  // outlive it.
  Http1Exchange(Input& input, const RequestHead& request, const Framing& framing,
                const ConnectionInfo& connection, const ServerOptions& options,
                const bool& draining);

  Task<Result<std::string_view>> ReadView() override;
  Task<Status> Send(Part part) override;
  RawBody raw_body() override;
  void TakenPast(uint64_t bytes) override { body_.TakenPast(bytes); }
  RawBody raw_response() override;
  void SentPast(uint64_t bytes) override;
  void Abort() override;
  void Interrupt() override { stream_.Interrupt(); }
  void Resume() override { stream_.Resume(); }
  bool client_lost() const override { return stream_.broken(); }
  bool started() const override { return mode_ != Mode::kNotStarted; }
  bool upgrade_requested() const override { return framing_.upgrade; }
  bool body_pending() const override { return !body_.done(); }
  bool body_ready() const override { return input_.ready(); }
  std::optional<uint64_t> body_length() const override;
  const Headers& trailers() const override { return body_.trailers(); }
  void WithholdContinue() override { continue_pending_ = false; }
  bool continue_expected() const override { return framing_.expect_continue; }

  // For the connection: the client closed its side.
  void OnHangup() { ClientIsGone(); }
  // For the connection, after the handler: whether the response is whole.
  bool finished() const { return finished_ && !aborted_; }
  bool keep_alive() const { return keep_alive_ && finished(); }

 private:
  enum class Mode : uint8_t { kNotStarted, kNoBody, kLength, kChunked, kUntilClose, kTunnel };

  void Start(const ResponseHead& head, const Part& part, HeadWriter& out);
  static void WriteLastChunk(const Headers* trailers, HeadWriter& out);
  Status CheckBody(const Part& part);
  Task<Result<std::string_view>> ReadAfterContinue();
  Task<Status> SendInterim(const ResponseHead& head);
  Task<Status> FinishSending(std::string rest, bool shut);
  static Task<Status> Failed(Error error);
  // The response ends here, whole or not.
  void Cut() {
    keep_alive_ = false;
    aborted_ = true;
  }
  TimePoint BodyDeadline() const;

  Input& input_;
  Stream& stream_;
  const Framing framing_;
  const ServerOptions& options_;
  const bool& draining_;
  BodyReader body_;
  Mode mode_ = Mode::kNotStarted;
  bool keep_alive_;
  bool continue_pending_;
  bool finished_ = false;
  bool aborted_ = false;
  uint64_t left_ = 0;  // of a response with a Content-Length
};

}  // namespace updraft::http
