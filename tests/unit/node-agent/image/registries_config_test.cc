#include "node-agent/image/registries_config.h"

#include <gmock/gmock.h>

#include "node-agent/image/registry_endpoints.h"

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RegistriesConfig Parsed(const std::string& yaml) {
  auto config = ParseRegistries(yaml, "registries.yaml");
  EXPECT_TRUE(config) << (config ? "" : config.error().message);
  return config ? *config : RegistriesConfig();
}

TEST(RegistriesConfigTest, ReadsEveryKey) {
  const auto config = Parsed(R"(
registries:
  docker.io:
    mirrors: ["https://mirror:5000/", "http://other"]
  r.example:5000:
    endpoint: https://10.0.0.7:5000
    plain_http: false
    ca_file: /etc/ca.pem
    insecure_skip_verify: true
    username: ci
    password: secret
  empty.example:
)");
  EXPECT_THAT(config.For("docker.io").mirrors, ElementsAre("https://mirror:5000", "http://other"));
  const RegistrySettings& own = config.For("r.example:5000");
  EXPECT_EQ(own.endpoint, "https://10.0.0.7:5000");
  EXPECT_EQ(own.plain_http, false);
  EXPECT_EQ(own.ca_file, "/etc/ca.pem");
  EXPECT_TRUE(own.insecure_skip_verify);
  EXPECT_EQ(own.username, "ci");
  EXPECT_EQ(own.password, "secret");
  EXPECT_EQ(config.For("unknown").plain_http, std::nullopt);
}

TEST(RegistriesConfigTest, NothingIsTheDefault) {
  EXPECT_TRUE(Parsed("").registries.empty());
  EXPECT_TRUE(Parsed("registries:\n").registries.empty());
  EXPECT_TRUE(ReadRegistries("/nonexistent/registries.yaml"));
  EXPECT_TRUE(ReadRegistries(""));
}

TEST(RegistriesConfigTest, ErrorsNameTheLine) {
  struct Case {
    std::string yaml;
    std::string error;
  };
  const std::vector<Case> cases = {
      {"registries:\n  a.example:\n    plain_htp: true\n", "f:3: unknown key \"plain_htp\""},
      {"mirrors: {}\n", "f:1: unknown key \"mirrors\""},
      {"registries:\n  a.example:\n    plain_http: maybe\n",
       "f:3: \"plain_http\" must be true or false"},
      {"registries:\n  a.example:\n    mirrors: x\n", "f:3: \"mirrors\" must be a list"},
      {"registries:\n  a.example:\n    endpoint: ftp://x\n",
       "f:3: \"endpoint\": \"ftp://x\" must begin"},
      {"registries:\n  https://a.example: {}\n", "must be host or host:port"},
      {"registries: [1]\n", "f:1: \"registries\" must be a map"},
      {"registries:\n  a.example: 7\n", "f:2: settings of a registry must be a map"},
      {"registries:\n  a.example:\n    password: x\n", "\"password\" without \"username\""},
      {"registries:\n  a.example:\n    password_file: /nonexistent\n",
       "f:3: cannot read a password"},
      {"registries: {\n", "f:2:"},
      {"7\n", "f:1:"},
      {"registries:\n  ? [1]\n  : {}\n", "f:"},
  };
  for (const Case& c : cases) {
    const auto config = ParseRegistries(c.yaml, "f");
    ASSERT_FALSE(config) << c.yaml;
    EXPECT_EQ(config.error().code, Code::kInvalidArgument);
    EXPECT_THAT(config.error().message, HasSubstr(c.error));
  }
}

TEST(RegistryEndpointsTest, DockersRegistryHasAnotherHost) {
  const auto endpoints = EndpointsFor({}, "docker.io");
  ASSERT_EQ(endpoints.size(), 1U);
  EXPECT_EQ(endpoints[0].url, "https://registry-1.docker.io");
  EXPECT_FALSE(endpoints[0].plain_http_fallback);
}

TEST(RegistryEndpointsTest, MirrorsComeFirst) {
  const auto config = Parsed("registries: {docker.io: {mirrors: ['http://m:1']}}");
  const auto endpoints = EndpointsFor(config, "docker.io");
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0].url, "http://m:1");
  EXPECT_TRUE(endpoints[0].mirror);
  EXPECT_FALSE(endpoints[1].mirror);
}

TEST(RegistryEndpointsTest, TheMachineItselfNeedsNoTls) {
  EXPECT_TRUE(EndpointsFor({}, "127.0.0.1:5000")[0].plain_http_fallback);
  const auto config = Parsed("registries: {'127.0.0.1:5000': {plain_http: true}}");
  EXPECT_EQ(EndpointsFor(config, "127.0.0.1:5000")[0].url, "http://127.0.0.1:5000");
  const auto strict = Parsed("registries: {'127.0.0.1:5000': {plain_http: false}}");
  EXPECT_FALSE(EndpointsFor(strict, "127.0.0.1:5000")[0].plain_http_fallback);
}

TEST(RegistryEndpointsTest, PasswordsGoToTheirRegistryAlone) {
  const RegistryCredential any{
      .registry = "", .username = "any", .password = "1", .identity_token = ""};
  const RegistryCredential hub{.registry = "https://index.docker.io/v1/",
                               .username = "hub",
                               .password = "2",
                               .identity_token = ""};
  const RegistryCredential other{
      .registry = "other.example", .username = "o", .password = "3", .identity_token = ""};
  const auto config = Parsed("registries: {docker.io: {username: conf, password: '4'}}");
  const auto chosen = CredentialsFor(config, "docker.io", {any, other, hub, hub});
  ASSERT_EQ(chosen.size(), 3U);
  EXPECT_EQ(chosen[0].username, "hub");
  EXPECT_EQ(chosen[1].username, "any");
  EXPECT_EQ(chosen[2].username, "conf");
}

}  // namespace
}  // namespace updraft::node_agent
