// A stream under TLS, on the server's side. What the network brings and what goes out lies in the
// thread's buffers while a call lasts: a request and its response are one system call each, and
// idle connections hold no buffer. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/http/exchange.h"
#include "core/http/stream.h"
#include "core/http/task.h"
#include "core/http/tls_context.h"

namespace updraft::http {

class TlsStream final : public Stream, public AuthorityScope {
 public:
  // An accepted, non-blocking socket. `context` must outlive the stream.
  TlsStream(TlsContext& context, Loop& loop, UniqueFd socket);
  // Tells the client that this is the end, unless something is unsent or a reset is due.
  ~TlsStream() override;

  // First of all. kInvalidArgument: the client is told why not; kUnavailable: it went away;
  // kDeadlineExceeded; kCancelled: interrupted.
  Task<Status> Handshake(TimePoint deadline);
  // After it: the client has chosen HTTP/2.
  bool http2() const;

  IoResult Read(std::span<char> into) override;
  IoResult Write(std::span<const iovec> pieces) override;
  bool plain() const override { return false; }
  void FinishWriting() override;

  bool Serves(std::string_view authority) const override;

 private:
  friend struct TlsBio;
  enum class Step : uint8_t { kDone, kAgain, kFailed };
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };

  Step HandshakeStep();
  void CountHandshake();
  Error Failed(Code code, std::string why);
  IoState ReadFailure(int result);
  bool Fetch();
  void KeepUnread();
  void Encrypt(std::span<const iovec> pieces);
  bool Seal(std::string_view record);
  IoState Flush();
  void SayEnd();

  TlsContext& context_;
  TlsGreeting greeting_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  // What came and OpenSSL has not taken: in the thread's buffer during a call, else in kept_.
  std::span<const char> incoming_;
  std::string kept_;
  std::string unsent_;
  size_t encrypted_ = 0;    // bytes of plain text that were sealed and do not count as written yet
  size_t fetch_bytes_ = 0;  // how much the call may still ask the socket for
  bool ended_ = false;      // the client has closed its side
  bool established_ = false;
  bool end_said_ = false;
};

}  // namespace updraft::http
