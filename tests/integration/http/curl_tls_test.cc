// TLS end to end, as curl sees it: HTTP/1.1 and HTTP/2, certificates of routes and of files,
// redirects.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/integration/http/activator_fixture.h"
#include "tests/unit/core/http/test_certificates.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

// What the instance was asked for, and with which protocol.
http::Task<void> Describe(http::Exchange& exchange) {
  std::string body = exchange.request().method + " " + exchange.request().target + " " +
                     std::string(exchange.request().headers.Get("x-forwarded-proto").value_or("-"));
  const Result<std::string> sent = co_await exchange.ReadBody(16 << 20);
  if (sent) body += " " + std::to_string(sent->size());
  (void)co_await exchange.Respond(200, http::Headers(), std::move(body));
}

class CurlTlsTest : public testing::Test {
 protected:
  CurlTlsTest() : instance_(Describe), activator_(2, 0) {
    std::string pattern = testing::TempDir() + "curl-tls-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    activator_.SetPorts({instance_.port()});
    https_port_ = activator_.Listen({.tls = true});
    Route({"app.test"}, false);
  }
  ~CurlTlsTest() override { std::filesystem::remove_all(folder_); }

  // The route has a certificate for the names, which curl trusts from now on.
  void Route(const std::vector<std::string>& names, bool https_only) {
    const http::Pem pem = http::MakePem(names);
    RoutingUpdate update;
    RouteUpdate& route = update.routes.emplace_back();
    route.key = "default/app";
    route.hosts = {{.host = "app.test", .splits = {{"default/app-1", 100}}}};
    route.https_only = https_only;
    route.certificate = {pem.chain, pem.key};
    activator_.Publish(update);
    Trust(pem);
  }
  void Trust(const http::Pem& pem) { std::ofstream(folder_ + "/ca.crt") << pem.chain; }

  // What curl prints, and its exit code when that is not 0.
  std::string Curl(const std::string& arguments) {
    std::string command = "curl -sS --max-time 20 --cacert " + folder_ + "/ca.crt";
    for (const char* host : {"app.test", "other.test"}) {
      for (const uint16_t port : {activator_.port(), https_port_})
        command += " --resolve " + std::string(host) + ":" + std::to_string(port) + ":127.0.0.1";
    }
    FILE* const pipe = popen((command + " " + arguments + " 2>/dev/null").c_str(), "r");
    std::string output;
    std::array<char, 4096> bytes;
    while (const size_t count = fread(bytes.data(), 1, bytes.size(), pipe))
      output.append(bytes.data(), count);
    const int status = pclose(pipe);
    if (status != 0) output += " exit " + std::to_string(WEXITSTATUS(status));
    return output;
  }
  std::string Https(const std::string& path, const std::string& host = "app.test") const {
    return "https://" + host + ":" + std::to_string(https_port_) + path;
  }
  std::string Http(const std::string& path) const {
    return "http://app.test:" + std::to_string(activator_.port()) + path;
  }

  http::TestServer instance_;
  ActivatorFixture activator_;
  std::string folder_;
  uint16_t https_port_ = 0;
};

TEST_F(CurlTlsTest, AnswersInBothVersionsOfHttpAndOfTls) {
  const std::string print = " -w ' %{http_version}' ";
  for (const char* tls : {"--tls-max 1.2 ", "--tlsv1.3 "}) {
    EXPECT_EQ(Curl(tls + ("--http1.1" + print) + Https("/a")), "GET /a https 0 1.1");
    EXPECT_EQ(Curl(tls + ("--http2" + print) + Https("/b")), "GET /b https 0 2");
  }
}

TEST_F(CurlTlsTest, CarriesBigBodies) {
  const std::string path = folder_ + "/body";
  std::ofstream(path) << std::string(10'000'000, 'x');
  for (const char* version : {"--http1.1", "--http2"}) {
    EXPECT_EQ(
        Curl(std::string(version) + " -H Expect: --data-binary @" + path + " " + Https("/up")),
        "POST /up https 10000000");
  }
}

TEST_F(CurlTlsTest, WhatCurlDoesNotTrustIsNotServedToIt) {
  Trust(http::MakePem({"app.test"}));
  EXPECT_EQ(Curl(Https("/")), " exit 60");
}

TEST_F(CurlTlsTest, AHostWithoutCertificateIsRefusedUntilAFileHasOne) {
  EXPECT_EQ(Curl(Https("/", "other.test")), " exit 35");
  const http::Pem pem = http::MakePem({"other.test"});
  const FileCertificates files = {*http::Certificate::FromPem(pem.chain, pem.key)};
  activator_.pool().SetCertificates(std::make_shared<const FileCertificates>(files));
  Trust(pem);
  EXPECT_NE(Curl(Https("/", "other.test")).find("found no route"), std::string::npos);
}

TEST_F(CurlTlsTest, ANewCertificateIsServedAtOnce) {
  EXPECT_EQ(Curl(Https("/1")), "GET /1 https 0");
  Route({"app.test"}, false);
  EXPECT_EQ(Curl(Https("/2")), "GET /2 https 0");
}

TEST_F(CurlTlsTest, ARouteMayBeForHttpsAlone) {
  EXPECT_EQ(Curl(Http("/x")), "GET /x http 0");
  Route({"app.test"}, true);
  const std::string print = "-o /dev/null -w '%{http_code} %{redirect_url}' ";
  EXPECT_EQ(Curl(print + Http("/x?y=1")), "301 https://app.test/x?y=1");
  EXPECT_EQ(Curl(print + "-d a=b " + Http("/x")), "308 https://app.test/x");
  EXPECT_EQ(Curl(Http("/.well-known/acme-challenge/t")),
            "GET /.well-known/acme-challenge/t http 0");
  EXPECT_EQ(Curl(Https("/x")), "GET /x https 0");
}

}  // namespace
}  // namespace updraft::activator
