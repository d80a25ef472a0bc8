// One request and its response as a server's handler sees them, whatever version of HTTP carries
// them. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/http/message.h"
#include "core/http/splice.h"
#include "core/http/task.h"

namespace updraft::http {

// A piece of a response, sent in one go.
struct Part {
  const ResponseHead* head =
      nullptr;  // first, exactly once; a 1xx head goes alone and does not count
  std::string_view body;
  bool last = false;  // ends the response
  const Headers* trailers =
      nullptr;  // with `last`; only what is framed in chunks or HTTP/2 carries them
};

// Which authorities a connection may carry requests for.
class AuthorityScope {
 public:
  virtual bool Serves(std::string_view authority) const = 0;

 protected:
  ~AuthorityScope() = default;
};

// What is known of a client's connection beside what it sends.
struct ConnectionInfo {
  // "ip:port" of the client, "[ip]:port" for IPv6, "unix" for a unix socket.
  std::string peer;
  bool secure = false;                    // it speaks TLS
  bool http2 = false;
  const AuthorityScope* scope = nullptr;  // null: all
};

class Exchange {
 public:
  Exchange(Loop& loop, const RequestHead& request, const ConnectionInfo& connection)
      : loop_(loop), request_(request), connection_(connection) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Loop& loop() const { return loop_; }
  const RequestHead& request() const { return request_; }
  const std::string& peer() const { return connection_.peer; }
  bool secure() const { return connection_.secure; }
  bool http2() const { return connection_.http2; }
  // The request is for an authority that its connection was not opened for (RFC 9110, 15.5.20).
  bool misdirected() const {
    return connection_.scope != nullptr && !connection_.scope->Serves(request_.host());
  }

  // ---- for handlers that hold what they send

  // The whole body. kResourceExhausted: longer than `bytes_max`; kUnavailable: the client went
  // away; kInvalidArgument: broken framing; kDeadlineExceeded: it stopped sending.
  Task<Result<std::string>> ReadBody(size_t bytes_max);
  // The next piece of the body, empty at its end.
  Task<Result<std::string>> ReadSome();

  // A whole response. Content-Length is added; HEAD, 204 and 304 send no body.
  Task<Status> Respond(int status, Headers headers, std::string body);

  // A response in pieces: StartResponse, Write..., Finish. Each Write goes out at once, and waits
  // while the client does not read. kUnavailable: the client is gone.
  Task<Status> StartResponse(int status, Headers headers);
  Task<Status> Write(std::string data);
  Task<Status> Finish();

  // Runs `callback` on the loop, at most once, when the client closes its side or loses its
  // connection while the handler runs; at once, when that has happened already. It wakes the
  // handler, no more.
  void OnClientGone(std::function<void()> callback);
  bool client_gone() const { return client_gone_; }
  // For connections: the handler has returned, and with it what its callback would touch.
  void HandlerEnded() { on_client_gone_ = nullptr; }

  // ---- for proxies, without copies

  // The next piece of the body, empty at its end. Valid until the caller next waits for anything.
  virtual Task<Result<std::string_view>> ReadView() = 0;
  virtual Task<Status> Send(Part part) = 0;
  // For who passes a big body on without reading it, and says so: the rest of the request's body as it comes in, and of the
  // response's as it goes out.
  virtual RawBody raw_body() { return {}; }
  virtual void TakenPast(uint64_t /*bytes*/) {}
  virtual RawBody raw_response() { return {}; }
  virtual void SentPast(uint64_t /*bytes*/) {}
  // Ends the response where it stands, so that the client knows it is not whole.
  virtual void Abort() = 0;
  // Makes every wait of this exchange fail with kCancelled, those of now and those to come, until
  // Resume(). For deadlines. Resumes nothing inside the call.
  virtual void Interrupt() = 0;
  virtual void Resume() = 0;
  // True when the connection is broken, where client_gone() may only say that the client has
  // nothing more to send.
  virtual bool client_lost() const = 0;
  // True once a response head other than 1xx was sent.
  virtual bool started() const = 0;
  // True when the request asks for another protocol (Upgrade). A Part with a 101 head then turns
  // the exchange into a tunnel: ReadView and Send carry bytes as they are.
  virtual bool upgrade_requested() const = 0;
  // True while the request's body has not been read to its end.
  virtual bool body_pending() const = 0;
  // A ReadView() would not have to wait.
  virtual bool body_ready() const = 0;
  // The body's length as the request states it. Not set: there is no telling (chunks).
  virtual std::optional<uint64_t> body_length() const = 0;
  // Those of the request's body, once it has been read to its end.
  virtual const Headers& trailers() const = 0;
  // A client that waits for "100 Continue" gets it with the first ReadView(), unless this was
  // called: then the handler sends the 100 itself, or refuses the body.
  virtual void WithholdContinue() = 0;
  virtual bool continue_expected() const = 0;

 protected:
  ~Exchange() = default;
  void ClientIsGone();

 private:
  Loop& loop_;
  const RequestHead& request_;
  const ConnectionInfo& connection_;
  bool client_gone_ = false;
  std::function<void()> on_client_gone_;
};

using Handler = std::function<Task<void>(Exchange&)>;

}  // namespace updraft::http
