#include "core/http/certificate.h"

#include <gtest/gtest.h>

#include "tests/unit/core/http/test_certificates.h"

namespace updraft::http {
namespace {

TEST(CertificateTest, CoversTheHostsThatItNames) {
  const auto certificate = MakeCertificate({"Example.com", "*.apps.example.com"});
  for (const char* host : {"example.com", "a.apps.example.com"})
    EXPECT_TRUE(certificate->Covers(host)) << host;
  for (const char* host : {"www.example.com", "apps.example.com", "a.b.apps.example.com",
                           ".apps.example.com", "example.org", "com", ""})
    EXPECT_FALSE(certificate->Covers(host)) << host;
}

TEST(CertificateTest, RefusesWhatIsNoneAndSaysWhyWithoutTheKey) {
  const Pem one = MakePem({"a.test"});
  const Pem other = MakePem({"b.test"});
  const Pem weak = MakePem({"weak.test"}, EVP_RSA_gen(1024));
  EXPECT_TRUE(Certificate::FromPem(one.chain, one.key));
  EXPECT_TRUE(Certificate::FromPem(one.chain + other.chain, one.key)) << "a chain";
  const struct {
    std::string chain;
    std::string key;
    std::string_view why;
  } cases[] = {
      {"", one.key, "no certificate"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", one.key, "no certificate"},
      {one.chain, "", "no private key"},
      {one.chain, one.chain, "no private key"},
      {one.chain, other.key, "not the certificate's"},
      {weak.chain, weak.key, "key too small"},
  };
  for (const auto& [chain, key, why] : cases) {
    const auto certificate = Certificate::FromPem(chain, key);
    ASSERT_FALSE(certificate) << why;
    EXPECT_EQ(certificate.error().code, Code::kInvalidArgument);
    EXPECT_NE(certificate.error().message.find(why), std::string::npos);
    EXPECT_EQ(certificate.error().message.find("BEGIN"), std::string::npos);
  }
}

}  // namespace
}  // namespace updraft::http
