#include "node-agent/image/auth_challenge.h"

#include <gmock/gmock.h>

#include "node-agent/image/http_url.h"

namespace updraft::node_agent {
namespace {

TEST(AuthChallengeTest, ReadsABearerChallenge) {
  const auto challenges = ParseChallenges(
      R"(Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push")");
  ASSERT_EQ(challenges.size(), 1U);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].parameters.at("realm"), "https://auth.example/token");
  EXPECT_EQ(challenges[0].parameters.at("service"), "reg");
  EXPECT_EQ(challenges[0].parameters.at("scope"), "repository:a/b:pull,push");
}

TEST(AuthChallengeTest, ReadsSeveralInOneHeader) {
  const auto challenges =
      ParseChallenges(R"(Negotiate, BASIC Realm = "a \"b\" c", bearer realm=x , service=y)");
  ASSERT_EQ(challenges.size(), 3U);
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_EQ(challenges[1].scheme, "basic");
  EXPECT_EQ(challenges[1].parameters.at("realm"), "a \"b\" c");
  EXPECT_EQ(challenges[2].parameters.at("service"), "y");
}

TEST(AuthChallengeTest, StandsNonsense) {
  for (const char* text : {"", ",", "=", "\"", "Basic realm=\"", "=,=\"x", "a=b", "Bearer ===="}) {
    ParseChallenges(text);
  }
  EXPECT_TRUE(ParseChallenges("").empty());
  EXPECT_TRUE(ParseChallenges("a=b").empty());
}

TEST(HttpUrlTest, OriginsHavePorts) {
  EXPECT_EQ(OriginOf("https://r.example/v2/"), "https://r.example:443");
  EXPECT_EQ(OriginOf("http://127.0.0.1:5000/x?y"), "http://127.0.0.1:5000");
  EXPECT_EQ(OriginOf("nonsense"), "");
  EXPECT_EQ(HostOfUrl("https://r.example/v2/"), "r.example");
  EXPECT_EQ(HostOfUrl("https://r.example:443/v2/"), "r.example:443");
}

TEST(HttpUrlTest, LocationsMayBeRelative) {
  EXPECT_EQ(ResolveUrl("https://r.example/a/b", "/c?d"), "https://r.example/c?d");
  EXPECT_EQ(ResolveUrl("https://r.example/a/b", "http://s.example/c"), "http://s.example/c");
  EXPECT_EQ(ResolveUrl("https://r.example/a/b", "//s.example/c"), "https://s.example/c");
}

}  // namespace
}  // namespace updraft::node_agent
