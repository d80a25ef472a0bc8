#include "node-agent/image/reference.h"

#include <gmock/gmock.h>

#include "node-agent/image/digest.h"

namespace updraft::node_agent {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

struct ReferenceCase {
  std::string text;
  std::string name;
};

TEST(ReferenceTest, FillsInDockersDefaults) {
  const std::vector<ReferenceCase> cases = {
      {"nginx", "docker.io/library/nginx:latest"},
      {"nginx:1.25", "docker.io/library/nginx:1.25"},
      {"user/app", "docker.io/user/app:latest"},
      {"docker.io/nginx", "docker.io/library/nginx:latest"},
      {"index.docker.io/user/app:2", "docker.io/user/app:2"},
      {"ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1"},
      {"localhost/app", "localhost/app:latest"},
      {"localhost:5000/app", "localhost:5000/app:latest"},
      {"127.0.0.1:5000/a/b:t", "127.0.0.1:5000/a/b:t"},
      {"[::1]:5000/app:t", "[::1]:5000/app:t"},
      {"kind.local/app", "kind.local/app:latest"},
      {"nginx@" + kDigest, "docker.io/library/nginx@" + kDigest},
      {"r.example/a:t@" + kDigest, "r.example/a@" + kDigest},
      {"a/b__c-d.e", "docker.io/a/b__c-d.e:latest"},
  };
  for (const ReferenceCase& c : cases) {
    const auto reference = ParseReference(c.text);
    ASSERT_TRUE(reference) << c.text << ": " << reference.error().message;
    EXPECT_EQ(reference->Name(), c.name) << c.text;
  }
}

TEST(ReferenceTest, KeepsTheTagBesideADigest) {
  const auto reference = ParseReference("r.example/a:t@" + kDigest);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->tag, "t");
  EXPECT_EQ(reference->digest, kDigest);
}

TEST(ReferenceTest, SaysWhatIsWrong) {
  const std::vector<ReferenceCase> cases = {
      {"", "empty"},
      {"Nginx", "lower case"},
      {"nginx:", "not a tag"},
      {"nginx:-x", "not a tag"},
      {"nginx:" + std::string(129, 'x'), "not a tag"},
      {"nginx@sha256:abc", "not a sha256 digest"},
      {"a//b", "not a repository name"},
      {"a/-b", "not a repository name"},
      {"a/b___c", "not a repository name"},
      {"host:99999999/a", "not a host"},
      {"my host.example/a", "not a host"},
      {"r.example/", "not a repository name"},
      {"a b", "not a repository name"},
      {"r.example/" + std::string(300, 'a'), "longer than 255"},
  };
  for (const ReferenceCase& c : cases) {
    const auto reference = ParseReference(c.text);
    ASSERT_FALSE(reference) << c.text;
    EXPECT_EQ(reference.error().code, Code::kInvalidArgument);
    EXPECT_THAT(reference.error().message, testing::HasSubstr(c.name)) << c.text;
  }
}

TEST(ReferenceTest, KnowsRegistriesThatAreNeverAsked) {
  EXPECT_TRUE(IsLoadedOnlyRegistry("ko.local"));
  EXPECT_TRUE(IsLoadedOnlyRegistry("dev.local"));
  EXPECT_FALSE(IsLoadedOnlyRegistry("docker.io"));
}

TEST(ReferenceTest, KnowsTheMachineItself) {
  for (const char* host :
       {"127.0.0.1:5000", "localhost", "localhost:80", "[::1]:5000", "127.9.9.9"}) {
    EXPECT_TRUE(IsLoopbackRegistry(host)) << host;
  }
  for (const char* host : {"127.evil.example", "localhost.example", "10.0.0.1:5000", "docker.io"}) {
    EXPECT_FALSE(IsLoopbackRegistry(host)) << host;
  }
}

TEST(DigestTest, IsWhatSha256sumPrints) {
  EXPECT_EQ(DigestOf("hello\n"),
            "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
  Sha256 pieces;
  pieces.Update("hel");
  pieces.Update("lo\n");
  EXPECT_EQ(pieces.Finish(), DigestOf("hello\n"));
}

TEST(DigestTest, TakesLowerCaseSha256Alone) {
  EXPECT_TRUE(IsDigest(kDigest));
  EXPECT_FALSE(IsDigest("sha256:" + std::string(64, 'A')));
  EXPECT_FALSE(IsDigest("sha512:" + std::string(64, 'a')));
  EXPECT_FALSE(IsDigest("sha256:" + std::string(63, 'a')));
}

TEST(DigestTest, ChainsAsTheImageSpecificationSays) {
  const std::string a = DigestOf("a");
  const std::string b = DigestOf("b");
  EXPECT_EQ(ChainId({}), "");
  EXPECT_EQ(ChainId({a}), a);
  EXPECT_EQ(ChainId({a, b}), DigestOf(a + " " + b));
}

}  // namespace
}  // namespace updraft::node_agent
