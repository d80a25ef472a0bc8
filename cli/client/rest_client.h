// The API server as the verbs see it: one call, or a stream that goes on. Over libcurl.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/client/api_address.h"
#include "core/api/json.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::cli {

using QueryParameters = std::vector<std::pair<std::string, std::string>>;

struct ApiRequest {
  std::string method = "GET";
  std::string path{};  // from /, names in it already escaped (EscapePathPart)
  QueryParameters query{};
  std::string accept = "application/json";
  std::string content_type = "application/json";
  std::string body{};
};

// Sent with a listing, it is answered with what `kubectl get` prints.
inline constexpr std::string_view kAcceptTable =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

std::string EscapePathPart(std::string_view part);

// One thread. Blocks its caller.
class RestClient {
 public:
  // `warn` gets the text of each warning that the server attaches to an answer.
  RestClient(ApiAddress address, std::function<void(const std::string&)> warn);
  ~RestClient();
  RestClient(const RestClient&) = delete;
  RestClient& operator=(const RestClient&) = delete;

  const ApiAddress& address() const { return address_; }

  // The answer's body. An answer of 400 or more is an error with the server's own text and the code
  // that fits it (404 kNotFound, 409 kAlreadyExists or kAborted, 410 kOutOfRange, 400 and 422
  // kInvalidArgument). kUnavailable: the server cannot be reached.
  Result<std::string> CallForText(const ApiRequest& request);
  Result<Json> Call(const ApiRequest& request);

  // Hands the body to `on_bytes` as it arrives, and calls `on_tick` at least every `tick`. Either
  // returns false to stop. Ok: stopped, the server ended the answer, or `deadline` has passed;
  // errors as Call().
  struct StreamHooks {
    std::function<bool(std::string_view)> on_bytes{};
    std::function<bool()> on_tick = [] { return true; };
    Nanos tick = Millis(250);
    std::optional<TimePoint> deadline = std::nullopt;
  };
  Status Stream(const ApiRequest& request, const StreamHooks& hooks);

  // Anything that is not the API: a manifest on the web.
  Result<std::string> Download(const std::string& url);

 private:
  struct Transfer;

  void Prepare(Transfer& transfer, const ApiRequest& request) const;
  void PrepareTls(Transfer& transfer) const;
  Status Run(Transfer& transfer, const StreamHooks& hooks);

  const ApiAddress address_;
  const std::function<void(const std::string&)> warn_;
  void* const multi_;  // CURLM: keeps the connection between calls
};

// The server's own words in an answer of 400 or more. Pure.
Error ErrorFromAnswer(long status, const std::string& body);

// The text of a Warning header's value: 299 - "text". Pure.
std::string WarningText(std::string_view value);

}  // namespace updraft::cli
