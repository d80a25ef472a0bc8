#include "cli/client/api_address.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace updraft::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kKubeconfig = R"(
apiVersion: v1
kind: Config
current-context: here
contexts:
- name: there
  context: {cluster: remote, user: nobody}
- name: here
  context: {cluster: local, user: me, namespace: shop}
clusters:
- name: remote
  cluster: {server: https://example.com}
- name: local
  cluster: {server: "http://127.0.0.1:6443/", insecure-skip-tls-verify: true, certificate-authority-data: cGVt}
users:
- name: me
  user: {token: secret}
)";

TEST(ParseKubeconfigTest, TheCurrentContextCounts) {
  const Result<ApiAddress> address = ParseKubeconfig(kKubeconfig, "/");
  ASSERT_TRUE(address) << address.error().message;
  EXPECT_EQ(address->server, "http://127.0.0.1:6443");
  EXPECT_EQ(address->namespace_name, "shop");
  EXPECT_EQ(address->token, "secret");
  EXPECT_EQ(address->certificate_authority, "pem");
  EXPECT_TRUE(address->skip_verification);
}

TEST(ParseKubeconfigTest, SaysWhatIsWrong) {
  EXPECT_FALSE(ParseKubeconfig("", "/"));
  EXPECT_FALSE(ParseKubeconfig("a: [", "/"));
  EXPECT_THAT(ParseKubeconfig("current-context: x", "/").error().message,
              HasSubstr("context \"x\""));
  EXPECT_THAT(
      ParseKubeconfig(
          "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\n"
          "clusters: [{name: c, cluster: {server: 'https://x', certificate-authority-data: '!'}}]",
          "/")
          .error()
          .message,
      HasSubstr("not base64"));
}

class FindApiTest : public testing::Test {
 protected:
  FindApiTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "updraft-cli-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    flags_.usual_state = folder_;
  }
  ~FindApiTest() override { std::filesystem::remove_all(folder_); }
  std::string Write(const std::string& name, const std::string& server) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << "current-context: c\ncontexts: [{name: c, context: {cluster: "
                           "c}}]\nclusters: [{name: c, cluster: {server: '"
                        << server << "'}}]\n";
    return path;
  }
  std::string Server() {
    const Result<ApiAddress> address = FindApi(flags_);
    return address ? address->server : "error: " + address.error().message;
  }
  std::string folder_;
  AddressFlags flags_;
};

TEST_F(FindApiTest, FlagsComeFirstThenTheEnvironmentThenThePlatformHere) {
  EXPECT_THAT(Server(), HasSubstr("updraft up"));
  Write("kubeconfig", "http://here");
  EXPECT_EQ(Server(), "http://here");
  flags_.kubeconfig_variable = "/nowhere:" + Write("environment", "http://environment");
  EXPECT_EQ(Server(), "http://environment");
  std::filesystem::create_directory(folder_ + "/state");
  Write("state/kubeconfig", "http://state");
  flags_.state = folder_ + "/state";
  EXPECT_EQ(Server(), "http://state");
  flags_.kubeconfig = Write("flag", "http://flag");
  EXPECT_EQ(Server(), "http://flag");
  flags_.server = "127.0.0.1:6443";
  EXPECT_EQ(Server(), "http://127.0.0.1:6443");
}

TEST_F(FindApiTest, AFileThatIsNamedMustBeThere) {
  flags_.kubeconfig = "/nowhere/at/all";
  EXPECT_EQ(Server(), "error: cannot read /nowhere/at/all");
}

}  // namespace
}  // namespace updraft::cli
