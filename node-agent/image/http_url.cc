#include "node-agent/image/http_url.h"

#include <curl/curl.h>

namespace updraft::node_agent {
namespace {

class Url {
 public:
  Url() = default;
  ~Url() { curl_url_cleanup(handle_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  // A relative one is taken from what was set before.
  bool Set(const std::string& url) {
    return curl_url_set(handle_, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  }
  std::string Get(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_, part, &text, flags) != CURLUE_OK) return "";
    std::string result = text;
    curl_free(text);
    return result;
  }

 private:
  CURLU* const handle_ = curl_url();
};

}  // namespace

std::string UrlEscape(std::string_view text) {
  char* escaped = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
  if (escaped == nullptr) return "";
  std::string result = escaped;
  curl_free(escaped);
  return result;
}

std::string OriginOf(const std::string& url) {
  Url parsed;
  if (!parsed.Set(url)) return "";
  return parsed.Get(CURLUPART_SCHEME) + "://" + parsed.Get(CURLUPART_HOST) + ":" +
         parsed.Get(CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

std::string HostOfUrl(const std::string& url) {
  Url parsed;
  if (!parsed.Set(url)) return "";
  const std::string port = parsed.Get(CURLUPART_PORT);
  return parsed.Get(CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
}

std::string ResolveUrl(const std::string& base, const std::string& location) {
  Url url;
  if (!url.Set(base) || !url.Set(location)) return "";
  return url.Get(CURLUPART_URL);
}

}  // namespace updraft::node_agent
