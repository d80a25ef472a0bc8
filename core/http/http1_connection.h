// A client's HTTP/1.1 connection: one request after the other. Loop thread only.
#pragma once

#include <string>
#include <string_view>

#include "core/http/http1_exchange.h"
#include "core/http/input.h"
#include "core/http/server_connections.h"
#include "core/http/stream.h"

namespace updraft::http {

// How the preface of HTTP/2 looks to HTTP/1.1 (RFC 9113, 3.4); "SM" and an empty line follow.
inline constexpr std::string_view kHttp2Head = "PRI * HTTP/2.0\r\n\r\n";

class Http1Connection final : public ServerConnection, private HangupObserver {
 public:
  // All references must outlive it.
  Http1Connection(ServerContext& context, Input& input, const ConnectionInfo& info);
  ~Http1Connection();

  enum class End : uint8_t {
    kClose,  // the connection is of no further use
    kHttp2,  // its first bytes were an HTTP/2 client's: the rest of the preface is in the input
  };
  Task<End> Serve();
  void Drain() override {}  // each response looks whether it is the last
  void CloseIdle() override;

 private:
  enum class Next : uint8_t { kRequest, kClose, kLinger };

  Task<Next> ServeRequest(std::string_view head_text);
  static Task<void> AnswerForHandler(Http1Exchange& exchange);
  Task<void> Refuse(Refusal refusal);
  void OnHangup() override;

  ServerContext& context_;
  Input& input_;
  Stream& stream_;
  const ConnectionInfo& info_;
  Http1Exchange* exchange_ = nullptr;  // while a handler runs
  bool idle_ = false;
};

}  // namespace updraft::http
