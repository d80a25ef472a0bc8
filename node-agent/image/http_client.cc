#include "node-agent/image/http_client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "core/base/check.h"
#include "node-agent/image/http_url.h"
#include "node-agent/image/reference.h"

namespace updraft::node_agent {
namespace {

constexpr int kRedirectsMax = 5;
constexpr size_t kIdleHandlesMax = 8;
constexpr long kReceiveBufferBytes = 256 << 10;

// What one transfer's callbacks write to.
struct Transfer {
  const HttpRequest& request;
  const BodySink& sink;
  CancelToken& cancel;
  CURL* curl = nullptr;
  HttpAnswer answer = {};

  bool GoesToSink() const { return sink && answer.status >= 200 && answer.status < 300; }
};

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

size_t OnHeader(char* bytes, size_t, size_t length, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(bytes, length);
  if (line.starts_with("HTTP/")) {
    // A new head: the one before was interim, a proxy's or asked for credentials.
    transfer.answer.headers.clear();
    return length;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return length;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string& value = transfer.answer.headers[name];
  if (!value.empty()) value += ", ";
  value += Trimmed(line.substr(colon + 1));
  return length;
}

size_t OnBody(char* bytes, size_t, size_t length, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.answer.status = static_cast<int>(status);
  if (transfer.GoesToSink()) {
    transfer.answer.sink_error = transfer.sink(transfer.answer.status, {bytes, length});
    return transfer.answer.sink_error ? length : 0;
  }
  if (transfer.answer.body.size() + length > transfer.request.body_bytes_max) {
    transfer.answer.outcome = HttpAnswer::Outcome::kTooLarge;
    return 0;
  }
  transfer.answer.body.append(bytes, length);
  return length;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->cancel.cancelled() ? 1 : 0;
}

HttpAnswer::Outcome OutcomeOf(CURLcode code, const std::string& detail) {
  using Outcome = HttpAnswer::Outcome;
  switch (code) {
    case CURLE_OK:
      return Outcome::kAnswered;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Outcome::kUnknownHost;
    case CURLE_COULDNT_CONNECT:
      return Outcome::kRefused;
    case CURLE_SSL_CONNECT_ERROR:
      // OpenSSL's words for a first record that is not TLS.
      return detail.find("wrong version number") != std::string::npos ||
                     detail.find("packet length too long") != std::string::npos ||
                     detail.find("http request") != std::string::npos
                 ? Outcome::kNoTls
                 : Outcome::kTls;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Outcome::kTls;
    case CURLE_ABORTED_BY_CALLBACK:
      return Outcome::kCancelled;
    default:
      return Outcome::kBroken;
  }
}

// Owns a header list.
struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
  void Add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

void SetMethod(CURL* curl, const HttpRequest& request) {
  if (request.method == HttpRequest::Method::kHead) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (request.method != HttpRequest::Method::kPost) return;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.form.size()));
  curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, request.form.c_str());
}

void SetTrust(CURL* curl, const RegistriesConfig& config, const std::string& host) {
  const RegistrySettings& settings = config.For(host);
  if (!settings.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file.c_str());
  if (settings.insecure_skip_verify) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (IsLoopbackRegistry(host)) curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

long MillisOf(Nanos span) {
  return static_cast<long>(std::chrono::duration_cast<Millis>(span).count());
}

void SetLimits(CURL* curl, const HttpTimeouts& timeouts, bool has_sink) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, MillisOf(timeouts.connect));
  if (has_sink) {
    const auto stall = std::chrono::duration_cast<Seconds>(timeouts.stall).count();
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(std::max<int64_t>(stall, 1)));
  } else {
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, MillisOf(timeouts.small));
  }
}

bool IsRedirect(const HttpAnswer& answer) {
  constexpr std::array kStatuses = {301, 302, 303, 307, 308};
  return answer.outcome == HttpAnswer::Outcome::kAnswered &&
         std::ranges::find(kStatuses, answer.status) != kStatuses.end() &&
         answer.headers.count("location") > 0;
}

}  // namespace

// A libcurl handle from the idle ones, with its open connections; goes back there.
class HttpClient::Handle {
 public:
  explicit Handle(HttpClient& owner) : owner_(owner) {
    {
      const std::lock_guard lock(owner_.mutex_);
      if (!owner_.idle_.empty()) {
        curl_ = owner_.idle_.back();
        owner_.idle_.pop_back();
      }
    }
    if (curl_ == nullptr) curl_ = curl_easy_init();
    UPDRAFT_CHECK(curl_ != nullptr);
  }
  ~Handle() {
    curl_easy_reset(curl_);
    {
      const std::lock_guard lock(owner_.mutex_);
      if (owner_.idle_.size() < kIdleHandlesMax) {
        owner_.idle_.push_back(std::exchange(curl_, nullptr));
      }
    }
    if (curl_ != nullptr) curl_easy_cleanup(curl_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  CURL* get() const { return curl_; }

 private:
  HttpClient& owner_;
  CURL* curl_ = nullptr;
};

HttpClient::HttpClient(const RegistriesConfig& config, HttpTimeouts timeouts)
    : config_(config), timeouts_(timeouts) {
  UPDRAFT_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

HttpClient::~HttpClient() {
  CloseIdle();
  curl_global_cleanup();
}

void HttpClient::CloseIdle() {
  std::vector<CURL*> idle;
  {
    const std::lock_guard lock(mutex_);
    idle.swap(idle_);
  }
  for (CURL* curl : idle) curl_easy_cleanup(curl);
}

HttpAnswer HttpClient::Perform(const HttpRequest& request, CancelToken& cancel,
                               const BodySink& sink) {
  HttpRequest hop = request;
  const std::string origin = OriginOf(request.url);
  for (int redirects = 0;; ++redirects) {
    HttpAnswer answer = PerformOnce(hop, cancel, sink);
    if (!IsRedirect(answer)) return answer;
    if (redirects == kRedirectsMax || request.method == HttpRequest::Method::kPost) {
      answer.outcome = HttpAnswer::Outcome::kBroken;
      answer.detail = "too many redirects";
      return answer;
    }
    const std::string url = ResolveUrl(hop.url, answer.headers.at("location"));
    const bool downgrade = hop.url.starts_with("https://") && !url.starts_with("https://");
    if (url.empty() || downgrade) {
      answer.outcome = HttpAnswer::Outcome::kTls;
      answer.detail = "refused to follow a redirect to " + answer.headers.at("location");
      return answer;
    }
    hop.url = url;
    if (OriginOf(url) != origin) hop.authorization.clear();
  }
}

HttpAnswer HttpClient::PerformOnce(const HttpRequest& request, CancelToken& cancel,
                                   const BodySink& sink) {
  const Handle handle(*this);
  CURL* curl = handle.get();
  Transfer transfer{.request = request, .sink = sink, .cancel = cancel, .curl = curl};
  std::array<char, CURL_ERROR_SIZE> message{};
  HeaderList headers;
  for (const std::string& header : request.headers) headers.Add(header);
  if (!request.authorization.empty()) headers.Add("Authorization: " + request.authorization);

  SetLimits(curl, timeouts_, static_cast<bool>(sink));
  SetMethod(curl, request);
  SetTrust(curl, config_, HostOfUrl(request.url));
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "updraft");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message.data());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);

  const CURLcode code = curl_easy_perform(curl);
  HttpAnswer& answer = transfer.answer;
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  answer.url = request.url;
  answer.detail = message[0] != '\0' ? message.data() : curl_easy_strerror(code);
  if (!answer.sink_error) {
    answer.outcome = HttpAnswer::Outcome::kSink;
  } else if (answer.outcome != HttpAnswer::Outcome::kTooLarge) {
    answer.outcome = OutcomeOf(code, answer.detail);
  }
  return std::move(answer);
}

}  // namespace updraft::node_agent
