// One request over one connection to an instance, and its response back. Loop thread only.
#pragma once

#include <string>

#include "activator/proxy/deadlines.h"
#include "activator/proxy/request_origin.h"
#include "activator/proxy/traffic_meter.h"
#include "activator/proxy/upload.h"
#include "activator/queue/dispatcher.h"
#include "core/base/result.h"
#include "core/http/client_exchange.h"
#include "core/http/exchange.h"
#include "core/http/splice.h"

namespace updraft::activator {

// What was read of the request's body for an attempt that no instance has seen.
struct TakenBody {
  bool taken = false;
  bool kept = false;  // `bytes` is what was taken
  std::string bytes;
};

// What a relay works on; all of it outlives it.
struct RelayParts {
  http::Exchange& exchange;
  http::ClientExchange& upstream;
  Dispatcher& dispatcher;
  const Slot& slot;
  RequestDeadlines& deadlines;
  const RequestOrigin& origin;
  TakenBody& body;
  TrafficMeter& traffic;
  bool reused = false;  // the connection has carried a request before
};

struct RelayResult {
  enum class End {
    kComplete,      // the client has its response, or as much as it wanted
    kNotReceived,   // the instance cannot have seen the request: it may be sent again
    kNoResponse,    // the instance gave none: `error`
    kBroken,        // in the middle of the response
    kClientFailed,  // the client's body or connection: `error`
    kInterrupted,   // a deadline, or a lost client
  };

  End end = End::kComplete;
  int status = 0;  // of the response, once it began
  Error error;
};

class Relay {
 public:
  explicit Relay(const RelayParts& parts)
      : parts_(parts), upload_(parts.exchange, parts.upstream, parts.traffic) {}
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  http::Task<RelayResult> Run();

 private:
  http::Task<Status> SendWithBody();
  http::Task<Status> SendHead(std::string_view body, bool last);
  http::Task<Status> SendHttp2Head(std::string_view head, std::string_view body, bool last,
                                   const http::Headers* trailers);
  void KeepBody(std::string_view first, bool whole);
  bool IsInterim() const;
  http::Task<Status> PassInterim();
  http::Task<RelayResult> RelayResponse();
  http::Task<bool> PassBody(RelayResult& result);
  static RelayResult NotPassed(RelayResult result, http::Splice::End end);
  const char* WhyNoTunnel() const;
  http::Task<RelayResult> RelayTunnel();
  void OnResponseBegins();
  RelayResult Failure(const Error& error) const;
  static RelayResult ClientFailure(RelayResult result, const Error& error);
  bool MayRepeat() const;

  RelayParts parts_;
  Upload upload_;
};

}  // namespace updraft::activator
