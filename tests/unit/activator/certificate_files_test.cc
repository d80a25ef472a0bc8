#include "activator/certificate_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "activator/config.h"
#include "activator/tls_metrics.h"
#include "tests/unit/core/http/test_certificates.h"

namespace updraft::activator {
namespace {

class CertificateFilesTest : public testing::Test {
 protected:
  CertificateFilesTest() {
    std::string pattern = testing::TempDir() + "certificates-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~CertificateFilesTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(Path(name)) << text; }
  void Write(const std::string& name, const http::Pem& pem) const {
    Write(name + ".crt", pem.chain);
    Write(name + ".key", pem.key);
  }
  CertificateFiles::Pair PairOf(const std::string& name) const { return {Path(name + ".crt"), Path(name + ".key")}; }

  std::string folder_;
};

TEST_F(CertificateFilesTest, AreReadAgainOnlyWhenTheyChange) {
  Write("a", http::MakePem({"a.test"}));
  CertificateFiles files({PairOf("a")});
  const auto first = files.Read();
  ASSERT_TRUE(first && *first);
  EXPECT_TRUE((*first)->front()->Covers("a.test"));
  EXPECT_EQ(*files.Read(), nullptr);

  Write("a", http::MakePem({"b.test"}));
  const auto second = files.Read();
  ASSERT_TRUE(second && *second);
  EXPECT_TRUE((*second)->front()->Covers("b.test"));
}

TEST_F(CertificateFilesTest, WhatIsServedAndHandshakesAreOnTheMetricsPage) {
  http::TlsCounters counters[2];
  http::TlsCounters::Add(counters[0].tls13.resumed);
  http::TlsCounters::Add(counters[1].tls13.resumed);
  http::TlsCounters::Add(counters[1].refused);
  metrics::Exposition exposition("activator");
  ShowTls(exposition, [&counters] {
    return TlsFigures{{&counters[0], &counters[1]}, {{"file", "/a.crt", 1'800'000'000}, {"route", "b.test", 7}}};
  });
  const std::string page = exposition.Render();
  for (const char* line : {"_tls_handshakes_total{result=\"resumed\",version=\"1.3\"} 2\n",
                           "_tls_handshakes_total{result=\"full\",version=\"1.2\"} 0\n",
                           "_tls_handshakes_total{result=\"refused\",version=\"none\"} 1\n",
                           "_tls_certificate_not_after_seconds{name=\"/a.crt\",source=\"file\"} 1800000000\n",
                           "_tls_certificate_not_after_seconds{name=\"b.test\",source=\"route\"} 7\n"}) {
    EXPECT_NE(page.find(line), std::string::npos) << line << page;
  }
}

TEST_F(CertificateFilesTest, WhatIsOfNoUseIsNamedAndReadAgainLater) {
  CertificateFiles files({PairOf("a")});
  EXPECT_NE(files.Read().error().message.find("a.crt cannot be read"), std::string::npos);
  const http::Pem one = http::MakePem({"a.test"});
  Write("a", one);
  ASSERT_TRUE(*files.Read());
  const http::Pem next = http::MakePem({"a.test"});
  Write("a.crt", next.chain);  // its key comes later
  EXPECT_NE(files.Read().error().message.find("the private key is not the certificate's"), std::string::npos);
  Write("a.key", next.key);
  EXPECT_TRUE(*files.Read());
}

TEST_F(CertificateFilesTest, AHostIsServedWithTheFirstThatNamesItElseWithTheFirst) {
  const FileCertificates none;
  EXPECT_EQ(FindCertificate(none, "a.test").certificate, nullptr);
  const FileCertificates all = {http::MakeCertificate({"a.test"}), http::MakeCertificate({"*.b.test"})};
  EXPECT_EQ(FindCertificate(all, "x.b.test").certificate, all[1]);
  EXPECT_FALSE(FindCertificate(all, "x.b.test").by_default);
  EXPECT_FALSE(FindCertificate(all, "a.test").by_default);
  EXPECT_EQ(FindCertificate(all, "c.test").certificate, all[0]);
  EXPECT_TRUE(FindCertificate(all, "c.test").by_default);
}

TEST(ConfigTest, ListenersAreAsTheFlagsSay) {
  Config config;
  config.http_addresses = {"127.0.0.1:80", "10.0.0.1:80"};
  config.https_addresses = {"127.0.0.1:8443"};
  config.proxied_addresses = {"10.0.0.1:80"};
  EXPECT_TRUE(CheckConfig(config));
  const auto addresses = ListenAddresses(config);
  ASSERT_EQ(addresses.size(), 3u);
  EXPECT_FALSE(addresses[0].tls || addresses[0].proxied);
  EXPECT_TRUE(addresses[1].proxied);
  EXPECT_TRUE(addresses[2].tls);
  EXPECT_EQ(HttpsPort(config), 8443);
  config.https_port = 443;
  EXPECT_EQ(HttpsPort(config), 443);

  config.proxied_addresses = {"10.0.0.2:80"};
  EXPECT_FALSE(CheckConfig(config));
  config.proxied_addresses = {};
  config.tls_certificates = {"a"};
  EXPECT_FALSE(CheckConfig(config));
}

}  // namespace
}  // namespace updraft::activator
