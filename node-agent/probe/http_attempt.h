// The http probe: one GET over a connection of its own, plain or TLS.
#pragma once

#include <openssl/ssl.h>

#include "node-agent/probe/socket_attempt.h"

namespace updraft::node_agent {

// The request as it goes over the wire. Header fields that would break out of their line are left
// out. Pure.
std::string RequestText(const HttpCall& call);

// The status code in what an answer begins with: nullopt while it is not complete (interim answers,
// 1xx, are skipped), 0 when this is no HTTP/1 answer. Pure.
std::optional<int> StatusIn(std::string_view answer);

// Loop thread only.
class HttpAttempt final : public SocketAttempt {
 public:
  // `tls` is used when the call asks for TLS; it must outlive the attempt.
  HttpAttempt(Loop& loop, const HttpCall& call, SSL_CTX* tls, Nanos timeout, ProbeDone done);
  ~HttpAttempt() override;

 private:
  enum class Transfer { kDone, kWait, kClosed, kFailed };

  void OnConnected() override;
  void OnTraffic(uint32_t events) override;
  std::string DescribeFailure(const std::string& cause) const override;
  std::string DescribeTimeout() const override;

  Transfer Send();
  Transfer Receive();
  Transfer TlsOutcome(int returned);
  void Judge(bool closed);

  const std::string url_;
  std::string unsent_;
  std::string received_;
  SSL* ssl_ = nullptr;
  uint32_t wanted_ = 0;  // epoll bits that the last transfer waits for
};

}  // namespace updraft::node_agent
