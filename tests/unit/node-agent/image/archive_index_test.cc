#include "node-agent/image/archive_index.h"

#include <gmock/gmock.h>

#include "node-agent/image/digest.h"

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const Platform kHost{.os = "linux", .architecture = "amd64", .variant = ""};
const std::string kA = DigestOf("a");
const std::string kB = DigestOf("b");

std::string Entry(const std::string& digest, const std::string& annotations,
                  const std::string& platform = "") {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + digest +
         R"(","size":1,"annotations":{)" + annotations + "}" + platform + "}";
}

ArchiveContents Layout(const std::string& entries) {
  ArchiveContents contents;
  contents.documents["index.json"] = R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
  return contents;
}

ArchiveContents Docker(const std::string& manifest) {
  ArchiveContents contents;
  contents.documents["manifest.json"] = manifest;
  contents.files["c.json"] = {.digest = kA, .size = 10};
  contents.files["l.tar"] = {.digest = kB, .size = 20};
  contents.links["x/layer.tar"] = "l.tar";
  return contents;
}

TEST(ArchiveIndexTest, TakesNamesFromAnnotations) {
  struct Case {
    std::string annotations;
    std::string name;
  };
  const std::vector<Case> cases = {
      {R"("org.opencontainers.image.ref.name":"r.example/a:1")", "r.example/a:1"},
      {R"("org.opencontainers.image.ref.name":"hello:2")", "docker.io/library/hello:2"},
      {R"("io.containerd.image.name":"docker.io/library/x:3","org.opencontainers.image.ref.name":"3")",
       "docker.io/library/x:3"},
      {R"("org.opencontainers.image.ref.name":"v4")", "docker.io/library/my-app:v4"},
      {"", "docker.io/library/my-app:latest"},
  };
  for (const Case& c : cases) {
    const auto images = ImagesOf(Layout(Entry(kA, c.annotations)),
                                 {.reference = "", .file_name = "/tmp/My App.tar.gz"}, kHost);
    ASSERT_TRUE(images) << images.error().message;
    ASSERT_EQ(images->size(), 1U);
    EXPECT_THAT(images->front().names, ElementsAre(c.name));
    EXPECT_EQ(images->front().root.digest, kA);
    EXPECT_TRUE(images->front().manifest.empty());
  }
}

TEST(ArchiveIndexTest, TheUsersNameWins) {
  const auto images = ImagesOf(Layout(Entry(kA, R"("org.opencontainers.image.ref.name":"a/b:1")")),
                               {.reference = "dev.local/mine", .file_name = ""}, kHost);
  ASSERT_TRUE(images);
  EXPECT_THAT(images->front().names, ElementsAre("dev.local/mine:latest"));
}

TEST(ArchiveIndexTest, OneNameCannotNameTwoImages) {
  auto contents =
      Docker(R"([{"Config":"c.json","Layers":[]},{"Config":"c.json","Layers":["l.tar"]}])");
  const auto images = ImagesOf(contents, {.reference = "x", .file_name = ""}, kHost);
  ASSERT_FALSE(images);
  EXPECT_THAT(images.error().message, HasSubstr("2 images"));
}

TEST(ArchiveIndexTest, EntriesOfOneNameAreOneImageForSeveralPlatforms) {
  const std::string name = R"("org.opencontainers.image.ref.name":"a/b:1")";
  const auto images = ImagesOf(
      Layout(Entry(kA, name, R"(,"platform":{"os":"linux","architecture":"arm64"})") + "," +
             Entry(kB, name, R"(,"platform":{"os":"linux","architecture":"amd64"})")),
      {}, kHost);
  ASSERT_TRUE(images) << images.error().message;
  ASSERT_EQ(images->size(), 1U);
  EXPECT_EQ(images->front().root.digest, kB);
}

TEST(ArchiveIndexTest, MakesTheManifestThatDockerSaveLeavesOut) {
  const auto contents = Docker(
      R"([{"Config":"c.json","RepoTags":["a:1","r.example/b:2"],"Layers":["x/layer.tar"]}])");
  const auto images = ImagesOf(contents, {}, kHost);
  ASSERT_TRUE(images) << images.error().message;
  const ArchiveImage& image = images->front();
  EXPECT_THAT(image.names, UnorderedElementsAre("docker.io/library/a:1", "r.example/b:2"));
  EXPECT_EQ(image.root.digest, DigestOf(image.manifest));
  const auto parsed = ParseManifest(image.manifest, "");
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto& manifest = std::get<Manifest>(*parsed);
  EXPECT_EQ(manifest.config.digest, kA);
  EXPECT_EQ(manifest.layers[0].digest, kB);
  EXPECT_EQ(manifest.layers[0].size, 20);
}

TEST(ArchiveIndexTest, DockersTagsNameAnIndexWithoutNames) {
  auto contents = Layout(Entry(kA, ""));
  contents.documents["manifest.json"] = R"([{"Config":"c","RepoTags":["b:1"],"Layers":[]}])";
  const auto images = ImagesOf(contents, {}, kHost);
  ASSERT_TRUE(images);
  EXPECT_THAT(images->front().names, ElementsAre("docker.io/library/b:1"));
}

TEST(ArchiveIndexTest, SaysWhyItIsNoArchive) {
  struct Case {
    ArchiveContents contents;
    std::string error;
  };
  ArchiveContents looping = Docker(R"([{"Config":"p","Layers":[]}])");
  looping.links["p"] = "q";
  looping.links["q"] = "p";
  const std::vector<Case> cases = {
      {{}, "neither index.json"},
      {Layout(""), "names no image"},
      {Docker("{}"), "names no image"},
      {Docker(R"([{"Config":"missing.json","Layers":[]}])"), "config \"missing.json\" is missing"},
      {Docker(R"([{"Config":"c.json","Layers":["y.tar"]}])"), "layer \"y.tar\" is missing"},
      {Docker(R"([{"Config":"c.json","Layers":[]}])"), "give it a reference"},
      {looping, "is missing"},
  };
  for (const Case& c : cases) {
    const auto images = ImagesOf(c.contents, {}, kHost);
    ASSERT_FALSE(images);
    EXPECT_EQ(images.error().code, Code::kInvalidArgument);
    EXPECT_THAT(images.error().message, HasSubstr(c.error));
  }
}

TEST(ArchivePathTest, StaysInside) {
  EXPECT_EQ(NormalisedPath("./a//b/./c"), "a/b/c");
  EXPECT_EQ(NormalisedPath("/a/../b"), "b");
  EXPECT_EQ(NormalisedPath("../etc/passwd"), "");
  EXPECT_EQ(LinkTarget("x/layer.tar", "../l.tar"), "l.tar");
  EXPECT_EQ(LinkTarget("layer.tar", "y/l.tar"), "y/l.tar");
  EXPECT_EQ(LinkTarget("x/layer.tar", "../../l.tar"), "");
}

}  // namespace
}  // namespace updraft::node_agent
