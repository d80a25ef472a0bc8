#include "node-agent/image/manifest.h"

#include <gmock/gmock.h>

#include "node-agent/image/image_config.h"

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kDigestA = "sha256:" + std::string(64, 'a');
const std::string kDigestB = "sha256:" + std::string(64, 'b');

std::string DescriptorText(const std::string& type, const std::string& digest,
                           const std::string& more = "") {
  return R"({"mediaType":")" + type + R"(","digest":")" + digest + R"(","size":7)" + more + "}";
}

std::string ManifestText(const std::string& layer_type) {
  return R"({"schemaVersion":2,"mediaType":")" + std::string(kOciManifest) + R"(","config":)" +
         DescriptorText(kOciConfig, kDigestA) + R"(,"layers":[)" +
         DescriptorText(layer_type, kDigestB) + "]}";
}

Descriptor For(const std::string& os, const std::string& architecture,
               const std::string& variant = "") {
  return {.media_type = kOciManifest,
          .digest = kDigestA,
          .size = 1,
          .platform = Platform{.os = os, .architecture = architecture, .variant = variant}};
}

const Platform kAmd64{.os = "linux", .architecture = "amd64", .variant = ""};

TEST(ManifestTest, ReadsConfigAndLayers) {
  const auto parsed =
      ParseManifest(ManifestText("application/vnd.oci.image.layer.v1.tar+zstd"), "");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& manifest = std::get<Manifest>(*parsed);
  EXPECT_EQ(manifest.config.digest, kDigestA);
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].digest, kDigestB);
  EXPECT_EQ(manifest.layers[0].size, 7);
}

TEST(ManifestTest, TakesTheTransportsTypeWhereTheDocumentHasNone) {
  const std::string text = R"({"schemaVersion":2,"config":)" +
                           DescriptorText(kDockerConfig, kDigestA) + R"(,"layers":[]})";
  EXPECT_TRUE(ParseManifest(text, std::string(kOciManifest) + "; charset=utf-8"));
  const std::string index = R"({"manifests":[]})";
  const auto parsed = ParseManifest(index, "text/plain");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(std::holds_alternative<Index>(*parsed));
}

TEST(ManifestTest, RefusesWhatItCannotUse) {
  struct Case {
    std::string text;
    std::string error;
  };
  const std::vector<Case> cases = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{", "not a JSON object"},
      {"{}", "unsupported media type of the manifest: none"},
      {R"({"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"})",
       "schema 1 is obsolete"},
      {ManifestText("application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
       "unsupported media type of layers[0]"},
      {ManifestText("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"),
       "unsupported media type of layers[0]"},
      {R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
           DescriptorText("application/vnd.cncf.helm.config.v1+json", kDigestA) +
           R"(,"layers":[]})",
       "not a container image"},
      {R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
           DescriptorText(kOciConfig, "md5:1") + R"(,"layers":[]})",
       "config: \"digest\""},
      {R"({"manifests":[{"digest":")" + kDigestA + R"("}]})", "manifests[0]: \"size\""},
      {R"({"manifests":7})", "not a list"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseManifest(c.text, "");
    ASSERT_FALSE(parsed) << c.text;
    EXPECT_THAT(parsed.error().message, HasSubstr(c.error)) << c.text;
  }
}

TEST(PlatformTest, PrefersTheExactOne) {
  Descriptor exact = For("linux", "arm", "v7");
  exact.digest = kDigestB;
  const Index index{.media_type = "",
                    .manifests = {For("linux", "arm", "v6"), exact, For("linux", "amd64")}};
  const auto chosen = ChoosePlatform(index, PlatformOf("armv7l"));
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->digest, kDigestB);
}

TEST(PlatformTest, TreatsDefaultVariantsAsNone) {
  EXPECT_TRUE(
      RunsOn({.os = "linux", .architecture = "arm64", .variant = "v8"}, PlatformOf("aarch64")));
  EXPECT_TRUE(
      RunsOn({.os = "linux", .architecture = "amd64", .variant = ""}, PlatformOf("x86_64")));
  EXPECT_FALSE(
      RunsOn({.os = "linux", .architecture = "arm", .variant = "v7"}, PlatformOf("armv6l")));
  EXPECT_FALSE(RunsOn({.os = "windows", .architecture = "amd64", .variant = ""}, kAmd64));
  EXPECT_TRUE(RunsOn({}, kAmd64));
}

TEST(PlatformTest, SkipsBuildAttestations) {
  Descriptor good = For("linux", "amd64");
  good.digest = kDigestB;
  const Index index{.media_type = "", .manifests = {For("unknown", "unknown"), good}};
  const auto chosen = ChoosePlatform(index, kAmd64);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->digest, kDigestB);
}

TEST(PlatformTest, SaysWhatIsOnOffer) {
  const Index index{.media_type = "",
                    .manifests = {For("linux", "arm64"), For("windows", "amd64")}};
  const auto chosen = ChoosePlatform(index, kAmd64);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().message,
            "no matching platform: this machine is linux/amd64, the image is for linux/arm64, "
            "windows/amd64");
}

TEST(ImageConfigTest, ReadsHowToRunIt) {
  const auto config = ParseImageConfig(R"({
    "os": "linux", "architecture": "amd64",
    "config": {"Entrypoint": ["/app"], "Cmd": ["-v"], "Env": ["A=1"], "User": "1000:1000",
               "WorkingDir": "/srv", "ExposedPorts": {"8080/tcp": {}}, "Volumes": {"/data": {}},
               "StopSignal": "SIGQUIT", "Labels": {"a": "b"}},
    "rootfs": {"type": "layers", "diff_ids": [")" +
                                       kDigestA + R"("]}})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->entrypoint, ElementsAre("/app"));
  EXPECT_THAT(config->cmd, ElementsAre("-v"));
  EXPECT_THAT(config->env, ElementsAre("A=1"));
  EXPECT_EQ(config->user, "1000:1000");
  EXPECT_EQ(config->working_dir, "/srv");
  EXPECT_THAT(config->exposed_ports, ElementsAre("8080/tcp"));
  EXPECT_THAT(config->volumes, ElementsAre("/data"));
  EXPECT_EQ(config->stop_signal, "SIGQUIT");
  EXPECT_EQ(config->labels.at("a"), "b");
  EXPECT_THAT(config->diff_ids, ElementsAre(kDigestA));
}

TEST(ImageConfigTest, StandsNullsAndWrongTypes) {
  const auto config = ParseImageConfig(
      R"({"config":{"Entrypoint":null,"Cmd":"x","Env":[1,"A=1"],"ExposedPorts":null,"User":7}})");
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->entrypoint.empty());
  EXPECT_TRUE(config->cmd.empty());
  EXPECT_THAT(config->env, ElementsAre("A=1"));
  EXPECT_EQ(config->user, "");
  EXPECT_FALSE(ParseImageConfig("7"));
  EXPECT_FALSE(ParseImageConfig(R"({"rootfs":{"diff_ids":["x"]}})"));
}

}  // namespace
}  // namespace updraft::node_agent
