#include "activator/proxy/https_redirect.h"

#include <gtest/gtest.h>

namespace updraft::activator {
namespace {

http::RequestHead Request(const std::string& method, const std::string& target,
                          const std::string& host) {
  http::RequestHead request;
  request.method = method;
  request.target = target;
  if (!host.empty()) request.headers.Add("Host", host);
  return request;
}

std::string LocationOf(const http::RequestHead& request, uint16_t port = 443) {
  const auto redirect = RedirectToHttps(request, port);
  return redirect ? redirect->location : "";
}

TEST(HttpsRedirectTest, SendsToTheSamePlaceUnderHttps) {
  EXPECT_EQ(LocationOf(Request("GET", "/a/b?c=d&e", "App.test:8080")),
            "https://app.test/a/b?c=d&e");
  EXPECT_EQ(LocationOf(Request("GET", "/", "app.test"), 8443), "https://app.test:8443/");
  EXPECT_EQ(LocationOf(Request("GET", "http://app.test/x", "app.test")), "https://app.test/x");
  EXPECT_EQ(LocationOf(Request("GET", "/", "[::1]:8080")), "https://[::1]/");
}

TEST(HttpsRedirectTest, KeepsTheMethod) {
  for (const char* method : {"GET", "HEAD"})
    EXPECT_EQ(RedirectToHttps(Request(method, "/", "h"), 443)->status, 301) << method;
  for (const char* method : {"POST", "PUT", "OPTIONS"})
    EXPECT_EQ(RedirectToHttps(Request(method, "/", "h"), 443)->status, 308) << method;
}

TEST(HttpsRedirectTest, LeavesAloneWhatIsWellKnownAndWhatCameByHttps) {
  EXPECT_EQ(LocationOf(Request("GET", "/.well-known/acme-challenge/token", "h")), "");
  EXPECT_EQ(LocationOf(Request("OPTIONS", "*", "h")), "");
  EXPECT_EQ(LocationOf(Request("GET", "/", "")), "");
  http::RequestHead forwarded = Request("GET", "/", "h");
  forwarded.headers.Add("X-Forwarded-Proto", "https");
  EXPECT_EQ(LocationOf(forwarded), "");
}

}  // namespace
}  // namespace updraft::activator
