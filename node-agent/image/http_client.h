// One HTTP request at a time through libcurl, blocking: what the registry protocol needs of HTTP.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "node-agent/image/cancel.h"
#include "node-agent/image/registries_config.h"

namespace updraft::node_agent {

struct HttpTimeouts {
  Nanos connect = Seconds(10);
  Nanos stall = Seconds(30);  // no byte for so long: the transfer is broken
  Nanos small = Seconds(60);  // for a whole request without a sink
};

struct HttpRequest {
  enum class Method { kGet, kHead, kPost };

  Method method = Method::kGet;
  std::string url = {};
  std::vector<std::string> headers = {};  // "Accept: ..."
  std::string authorization = {};    // sent to the URL's own origin only, never after a redirect
  std::string form = {};             // the body of a POST
  size_t body_bytes_max = 64 << 10;  // without a sink; a sink sets its own limits
};

// Receives the body of a 2xx answer in pieces; an error ends the transfer. May block.
using BodySink = std::function<Status(int status, std::string_view)>;

struct HttpAnswer {
  enum class Outcome {
    kAnswered,     // `status` says how
    kUnknownHost,  // `detail` is what libcurl says, for all that follow
    kRefused,
    kNoTls,   // the other side does not speak TLS at all
    kTls,     // certificates and the like
    kBroken,  // timeouts and connections that ended: worth another try
    kTooLarge,
    kSink,  // the sink returned `sink_error`
    kCancelled,
  };

  Outcome outcome = Outcome::kBroken;
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // whole without a sink; of non-2xx answers always
  std::string url;                             // of the last request, after redirects
  std::string detail;
  Status sink_error = Ok();
};

// Follows redirects, each with the trust settings of its own host; never from https to http.
// Proxies are those of the environment, but none for this machine. Safe for concurrent use.
class HttpClient {
 public:
  // `config` must outlive the client.
  explicit HttpClient(const RegistriesConfig& config, HttpTimeouts timeouts = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpAnswer Perform(const HttpRequest& request, CancelToken& cancel, const BodySink& sink = {});

  // Closes connections that wait for another request.
  void CloseIdle();

 private:
  class Handle;

  HttpAnswer PerformOnce(const HttpRequest& request, CancelToken& cancel, const BodySink& sink);

  const RegistriesConfig& config_;
  const HttpTimeouts timeouts_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::vector<CURL*> idle_;
};

}  // namespace updraft::node_agent
