// A server under TLS with certificates that a test may change, for tests.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/http/tls_context.h"
#include "tests/unit/core/http/test_certificates.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::http {

// By exact name; "" is for all others. Safe for concurrent use.
class TestCertificates final : public CertificateSource {
 public:
  using Map = std::map<std::string, std::shared_ptr<const Certificate>, std::less<>>;
  explicit TestCertificates(Map map) : map_(std::move(map)) {}

  void Replace(Map map) {
    const std::lock_guard lock(mutex_);
    map_ = std::move(map);
  }
  Choice FindCertificate(std::string_view host) const override {
    const std::lock_guard lock(mutex_);
    if (const auto found = map_.find(host); found != map_.end())
      return {found->second, host.empty()};
    if (const auto fallback = map_.find(""); fallback != map_.end())
      return {fallback->second, true};
    return {};
  }

 private:
  mutable std::mutex mutex_;
  Map map_;
};

class TlsTestServer {
 public:
  explicit TlsTestServer(Handler handler, ServerOptions options = {},
                         TestCertificates::Map map = {{"a.test", MakeCertificate({"a.test"})}},
                         bool proxy_protocol = false)
      : certificates(std::move(map)),
        context(certificates, MakeTicketKeys(), TlsContext::Offer::kHttp1AndHttp2),
        server(std::move(handler), options, "127.0.0.1:0",
               {.tls = &context, .proxy_protocol = proxy_protocol}) {}

  uint16_t port() const { return server.port(); }

  TestCertificates certificates;
  TlsContext context;  // on the loop only
  TestServer server;
};

}  // namespace updraft::http
