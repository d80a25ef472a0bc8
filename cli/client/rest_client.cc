#include "cli/client/rest_client.h"

#include <curl/curl.h>

#include <algorithm>

#include "core/api/access.h"
#include "core/api/read.h"

namespace updraft::cli {
namespace {

constexpr long kConnectMillis = 5000;
constexpr Nanos kCallMax = Seconds(60);  // one call; streams have deadlines of their own
constexpr size_t kAnswerBytesMax = 256 << 20;
constexpr size_t kErrorBytesMax = 1 << 20;
constexpr long kLongestRedirectChain = 5;

curl_blob BlobOf(const std::string& text) {
  return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
}

std::string EncodedQuery(const QueryParameters& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    text += text.empty() ? '?' : '&';
    text += name + "=" + EscapePathPart(value);
  }
  return text;
}

Code CodeOf(long status, const std::string& reason) {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return reason == "AlreadyExists" ? Code::kAlreadyExists : Code::kAborted;
    case 410:
      return Code::kOutOfRange;
    case 429:
      return Code::kResourceExhausted;
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

}  // namespace

std::string EscapePathPart(std::string_view part) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text;
  for (const char c : part) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos) {
      text += c;
    } else {
      text += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return text;
}

Error ErrorFromAnswer(long status, const std::string& body) {
  const Result<api::Document> document = api::ReadJson(body);
  const bool is_status = document && api::StringAt(document->value, {"kind"}) == "Status";
  if (!is_status) {
    const std::string text = body.substr(0, 200);
    return {CodeOf(status, ""),
            "the server answered " + std::to_string(status) + (text.empty() ? "" : ": " + text)};
  }
  const std::string reason = api::StringAt(document->value, {"reason"});
  return {CodeOf(status, reason), api::StringAt(document->value, {"message"}, reason)};
}

std::string WarningText(std::string_view value) {
  const size_t open = value.find('"');
  if (open == std::string_view::npos) return std::string(value);
  std::string text;
  for (size_t i = open + 1; i < value.size() && value[i] != '"'; ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    text += value[i];
  }
  return text;
}

// One request under way and what it has received.
struct RestClient::Transfer {
  Transfer() : easy(curl_easy_init()) {}
  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  long status() const {
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  static size_t OnBytes(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view text(bytes, size * count);
    const bool refused = transfer.status() >= 400;
    if (!refused && transfer.hooks->on_bytes) {
      if (transfer.hooks->on_bytes(text)) return text.size();
      transfer.stopped = true;
      return 0;
    }
    if (transfer.body.size() + text.size() > (refused ? kErrorBytesMax : kAnswerBytesMax)) return 0;
    transfer.body += text;
    return text.size();
  }

  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self) {
    constexpr std::string_view kName = "warning:";
    std::string_view line(bytes, size * count);
    const bool warning = line.size() > kName.size() &&
                         std::equal(kName.begin(), kName.end(), line.begin(), [](char a, char b) {
                           return a == std::tolower(static_cast<unsigned char>(b));
                         });
    if (warning) {
      line.remove_prefix(kName.size());
      line = line.substr(0, line.find_last_not_of("\r\n") + 1);
      static_cast<Transfer*>(self)->warnings.push_back(WarningText(line));
    }
    return size * count;
  }

  CURL* easy;
  curl_slist* headers = nullptr;
  const StreamHooks* hooks = nullptr;
  std::string url;
  std::string body;
  std::vector<std::string> warnings;
  bool stopped = false;
};

RestClient::RestClient(ApiAddress address, std::function<void(const std::string&)> warn)
    : address_(std::move(address)), warn_(std::move(warn)), multi_(curl_multi_init()) {}

RestClient::~RestClient() { curl_multi_cleanup(multi_); }

void RestClient::Prepare(Transfer& transfer, const ApiRequest& request) const {
  CURL* easy = transfer.easy;
  transfer.url = address_.server + request.path + EncodedQuery(request.query);
  curl_easy_setopt(easy, CURLOPT_URL, transfer.url.c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (!request.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request.body.data());
    transfer.headers =
        curl_slist_append(transfer.headers, ("Content-Type: " + request.content_type).c_str());
    transfer.headers = curl_slist_append(transfer.headers, "Expect:");  // large bodies at once
  }
  transfer.headers = curl_slist_append(transfer.headers, ("Accept: " + request.accept).c_str());
  if (!address_.token.empty()) {
    transfer.headers =
        curl_slist_append(transfer.headers, ("Authorization: Bearer " + address_.token).c_str());
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  PrepareTls(transfer);
}

void RestClient::PrepareTls(Transfer& transfer) const {
  const auto set = [&](CURLoption option, const std::string& pem) {
    curl_blob blob = BlobOf(pem);
    if (!pem.empty()) curl_easy_setopt(transfer.easy, option, &blob);
  };
  set(CURLOPT_CAINFO_BLOB, address_.certificate_authority);
  set(CURLOPT_SSLCERT_BLOB, address_.client_certificate);
  set(CURLOPT_SSLKEY_BLOB, address_.client_key);
  if (!address_.skip_verification) return;
  curl_easy_setopt(transfer.easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(transfer.easy, CURLOPT_SSL_VERIFYHOST, 0L);
}

Status RestClient::Run(Transfer& transfer, const StreamHooks& hooks) {
  transfer.hooks = &hooks;
  curl_easy_setopt(transfer.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(transfer.easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectMillis);
  curl_easy_setopt(transfer.easy, CURLOPT_USERAGENT, "updraft");
  curl_easy_setopt(transfer.easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBytes);
  curl_easy_setopt(transfer.easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(transfer.easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(transfer.easy, CURLOPT_HEADERDATA, &transfer);
  curl_multi_add_handle(multi_, transfer.easy);
  int running = 1;
  bool expired = false;
  while (true) {
    curl_multi_perform(multi_, &running);
    expired = hooks.deadline && RealClock().Now() >= *hooks.deadline;
    transfer.stopped = transfer.stopped || (running > 0 && !hooks.on_tick());
    if (running == 0 || expired || transfer.stopped) break;
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(hooks.tick / Millis(1)), nullptr);
  }
  CURLcode outcome = CURLE_OK;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) outcome = message->data.result;
  }
  curl_multi_remove_handle(multi_, transfer.easy);
  for (const std::string& warning : transfer.warnings) warn_(warning);
  if (transfer.stopped) return Ok();
  if (running > 0) return Error{Code::kDeadlineExceeded, transfer.url + ": no answer in time"};
  if (outcome != CURLE_OK) {
    return Error{Code::kUnavailable, "cannot reach " +
                                         transfer.url.substr(0, transfer.url.find('?')) + ": " +
                                         curl_easy_strerror(outcome)};
  }
  if (transfer.status() >= 400) return ErrorFromAnswer(transfer.status(), transfer.body);
  return Ok();
}

Result<std::string> RestClient::CallForText(const ApiRequest& request) {
  Transfer transfer;
  Prepare(transfer, request);
  if (Status ran = Run(transfer, {.deadline = RealClock().Now() + kCallMax}); !ran)
    return ran.error();
  return std::move(transfer.body);
}

Result<Json> RestClient::Call(const ApiRequest& request) {
  Result<std::string> text = CallForText(request);
  if (!text) return text.error();
  Result<api::Document> document =
      api::ReadJson(*text, {.bytes_max = kAnswerBytesMax, .values_max = 100'000'000});
  if (!document)
    return Error{Code::kInternal, "the server's answer is no JSON: " + document.error().message};
  return std::move(document->value);
}

Status RestClient::Stream(const ApiRequest& request, const StreamHooks& hooks) {
  Transfer transfer;
  Prepare(transfer, request);
  Status ran = Run(transfer, hooks);
  if (!ran && ran.error().code == Code::kDeadlineExceeded) return Ok();
  return ran;
}

Result<std::string> RestClient::Download(const std::string& url) {
  Transfer transfer;
  transfer.url = url;
  curl_easy_setopt(transfer.easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(transfer.easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(transfer.easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(transfer.easy, CURLOPT_MAXREDIRS, kLongestRedirectChain);
  if (Status ran = Run(transfer, {.deadline = RealClock().Now() + kCallMax}); !ran)
    return ran.error();
  return std::move(transfer.body);
}

}  // namespace updraft::cli
