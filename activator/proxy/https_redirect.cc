#include "activator/proxy/https_redirect.h"

#include "core/http/host_name.h"

namespace updraft::activator {
namespace {

constexpr uint16_t kHttpsPort = 443;

}  // namespace

std::optional<HttpsRedirect> RedirectToHttps(const http::RequestHead& request, uint16_t port) {
  const http::HostName host(request.host());
  const std::string_view path = request.path();
  if (host.view().empty() || !path.starts_with('/') || path.starts_with("/.well-known/"))
    return std::nullopt;
  if (request.headers.Get("x-forwarded-proto") == "https") return std::nullopt;
  HttpsRedirect redirect;
  if (request.method != "GET" && request.method != "HEAD") redirect.status = 308;
  redirect.location.append("https://").append(host.view());
  if (port != kHttpsPort) redirect.location.append(":").append(std::to_string(port));
  redirect.location.append(path);
  if (!request.query().empty()) redirect.location.append("?").append(request.query());
  return redirect;
}

}  // namespace updraft::activator
