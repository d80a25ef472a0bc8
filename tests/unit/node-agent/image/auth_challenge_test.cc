#include "node-agent/image/auth_challenge.h"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace updraft::node_agent
