// One request and its response as a client sees them, whatever version of HTTP carries them. Loop
// thread only.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/message.h"
#include "core/http/parser.h"
#include "core/http/splice.h"
#include "core/http/task.h"

namespace updraft::http {

class ClientExchange {
 public:
  // How the head of a request is handed over.
  enum class Version : uint8_t {
    kHttp1,  // as text, whole and with its empty line
    kHttp2,  // as fields, the pseudo-fields first
  };
  virtual Version version() const = 0;

  // Begins an exchange. `body` is how the request's body will be framed, as its head says. `method`
  // must stay until the response has ended.
  virtual void Begin(std::string_view method, BodyFraming body, TimePoint deadline) = 0;

  // The head goes with the first piece of the body; then pieces without one. Errors: kUnavailable
  // (closed), kCancelled (interrupted), kDeadlineExceeded.
  struct Part {
    std::string_view head;           // of HTTP/1.1
    std::span<const Header> fields;  // of HTTP/2
    std::string_view body;
    bool last = false;
    const Headers* trailers = nullptr;  // with `last`; in HTTP/1.1 with chunks only
  };
  virtual Task<Status> Send(Part part) = 0;

  // Reads the next head(): of a 1xx, or of the response itself. kUnavailable: closed before it;
  // kInternal: not HTTP; else as Send().
  virtual Task<Status> ReadHead() = 0;
  virtual ResponseHead& head() = 0;
  // After a head other than 1xx. The next piece of the body, empty at its end; after a 101, what
  // comes through the tunnel. Errors as BodyReader's.
  virtual Task<Result<std::string_view>> ReadBody() = 0;
  // The same, if what has come already has it.
  virtual std::optional<Result<std::string_view>> TakeBufferedBody() = 0;
  // For who passes a big body on without reading it, and says so: the rest of the request's body as it goes out, and of the
  // response's as it comes in.
  virtual RawBody raw_request() { return {}; }
  virtual void SentPast(uint64_t /*bytes*/, bool /*last*/) {}
  virtual RawBody raw_body() { return {}; }
  virtual void TakenPast(uint64_t /*bytes*/) {}
  virtual const Headers& trailers() const = 0;  // once body_done()
  virtual bool body_done() const = 0;

  // Nobody has seen the request: none of it went out, or the server has said so.
  virtual bool not_received() const = 0;
  // Whether any of the response has come: the request was seen.
  virtual bool answered() const = 0;

  // In a tunnel: nothing more will be sent.
  virtual void FinishWriting() = 0;
  // Makes every wait of this exchange fail with kCancelled, those of now and those to come. Resumes
  // nothing inside the call.
  virtual void Interrupt() = 0;

 protected:
  ~ClientExchange() = default;
};

}  // namespace updraft::http
