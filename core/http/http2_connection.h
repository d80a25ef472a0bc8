// A client's HTTP/2 connection: many exchanges side by side. Loop thread only.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/http/gate.h"
#include "core/http/http2_exchange.h"
#include "core/http/http2_session.h"
#include "core/http/server_connections.h"

namespace updraft::http {

class Http2Connection final : public ServerConnection,
                              public Http2Session,
                              public Http2HeadObserver,
                              private HangupObserver {
 public:
  // All references must outlive it.
  Http2Connection(ServerContext& context, Input& input, const ConnectionInfo& info);
  ~Http2Connection() override;

  // Until the connection is of no further use. `preface`: what was read of the client's already.
  Task<void> Serve(std::string_view preface);
  void Drain() override;
  void CloseIdle() override {}  // the client knows already

 private:
  Http2Stream* OnNewStream(int32_t id) override;
  void OnInvalidFrame() override;
  void OnPingAck() override;
  void OnWritten() override { FinishIfDrained(); }
  void OnHangup() override;
  void OnWhole(Http2Exchange& exchange) override;

  Task<void> ReadFrames();
  bool HandleUnread();
  Task<void> ServeStream(std::unique_ptr<Http2Exchange> exchange);
  static Task<void> Answer(Http2Exchange& exchange, int status, std::string_view text);
  Task<void> SayFarewell();
  void StartWhatIsWhole();
  TimePoint Deadline() const;
  void LoseAll();
  void FinishIfDrained();

  ServerContext& context_;
  const ConnectionInfo& info_;
  Http2ComingHead coming_;
  std::unique_ptr<Http2Exchange> opening_;             // whose fields they are
  TimePoint opened_;                                   // since when
  std::vector<std::unique_ptr<Http2Exchange>> whole_;  // to be served once the session is left
  RingLink serving_;                                   // those with a handler
  TimePoint idle_since_;
  uint32_t opened_in_turn_ = 0;  // streams
  uint32_t invalid_frames_ = 0;  // of late
  TimePoint invalid_since_;
  bool reading_ = false;  // waits for what comes
  bool drained_ = false;  // the client knows the last stream that is served
  Gate all_served_;
  Scope scope_;
};

}  // namespace updraft::http
