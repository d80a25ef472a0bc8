#include "node-agent/image/image_catalog.h"

#include <gmock/gmock.h>

#include "node-agent/image/digest.h"

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kA = DigestOf("a");
const std::string kB = DigestOf("b");

ImageReference Ref(const std::string& text) { return *ParseReference(text); }

KnownImage Known(const std::string& name, const std::string& digest, bool loaded = false) {
  return {.record = {.name = Ref(name).Name(),
                     .target = {.media_type = kOciManifest, .digest = digest, .size = 1},
                     .created_at_ns = 5,
                     .loaded = loaded},
          .image = std::make_shared<const UnpackedImage>(
              UnpackedImage{.reference = name,
                            .digest = digest,
                            .manifest_digest = DigestOf(digest),
                            .chain_id = "c",
                            .snapshotter = "overlayfs",
                            .config = {},
                            .size_bytes = 9})};
}

TEST(ImageCatalogTest, FindsByDigestUnderAnyName) {
  ImageCatalog catalog;
  catalog.Add({Known("r.example/a:1", kA)});
  EXPECT_NE(catalog.Find(Ref("r.example/a@" + kA), PullPolicy::kAlways), nullptr);
  EXPECT_NE(catalog.Find(Ref("other.example/a@" + DigestOf(kA)), PullPolicy::kAlways), nullptr);
  EXPECT_EQ(catalog.Find(Ref("r.example/a@" + kB), PullPolicy::kAlways), nullptr);
}

TEST(ImageCatalogTest, PolicyDecidesWhetherATagIsGoodEnough) {
  ImageCatalog catalog;
  catalog.Add({Known("r.example/a:1", kA), Known("r.example/a:latest", kA)});
  EXPECT_NE(catalog.Find(Ref("r.example/a:1"), PullPolicy::kDefault), nullptr);
  EXPECT_EQ(catalog.Find(Ref("r.example/a"), PullPolicy::kDefault), nullptr);
  EXPECT_NE(catalog.Find(Ref("r.example/a"), PullPolicy::kIfNotPresent), nullptr);
  EXPECT_NE(catalog.Find(Ref("r.example/a"), PullPolicy::kNever), nullptr);
  EXPECT_EQ(catalog.Find(Ref("r.example/a:1"), PullPolicy::kAlways), nullptr);
}

TEST(ImageCatalogTest, LoadedImagesWinOverTheRegistry) {
  ImageCatalog catalog;
  catalog.Add({Known("r.example/a", kA, true), Known("ko.local/b", kB)});
  EXPECT_NE(catalog.Find(Ref("r.example/a"), PullPolicy::kAlways), nullptr);
  EXPECT_NE(catalog.Find(Ref("ko.local/b"), PullPolicy::kDefault), nullptr);
  EXPECT_EQ(catalog.LoadedDigest(Ref("r.example/a")), kA);
  EXPECT_EQ(catalog.LoadedDigest(Ref("ko.local/b")), kB);
  EXPECT_EQ(catalog.LoadedDigest(Ref("r.example/a:2")), "");
}

TEST(ImageCatalogTest, RemovingATagRemovesItsDigestUnlessAnotherTagNeedsIt) {
  ImageCatalog catalog;
  catalog.Add({Known("r.example/a:1", kA), Known("r.example/a@" + kA, kA)});
  EXPECT_THAT(catalog.NamesToRemove(Ref("r.example/a:1")),
              UnorderedElementsAre("r.example/a:1", "r.example/a@" + kA));
  catalog.Add({Known("r.example/a:2", kA)});
  EXPECT_THAT(catalog.NamesToRemove(Ref("r.example/a:1")), ElementsAre("r.example/a:1"));
  EXPECT_THAT(catalog.NamesToRemove(Ref("r.example/x:1")), IsEmpty());
  catalog.Forget({"r.example/a:1"});
  EXPECT_EQ(catalog.Find(Ref("r.example/a:1"), PullPolicy::kNever), nullptr);
}

TEST(ImageCatalogTest, ListsATagOnce) {
  ImageCatalog catalog;
  catalog.Add(
      {Known("r.example/a:1", kA), Known("r.example/a@" + kA, kA), Known("r.example/b@" + kB, kB)});
  const auto list = catalog.List();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].reference, "r.example/a:1");
  EXPECT_EQ(list[0].size_bytes, 9);
  EXPECT_TRUE(list[0].unpacked);
  EXPECT_EQ(list[1].reference, "r.example/b@" + kB);
}

TEST(ImageCatalogTest, AForgottenSnapshotMustBeMadeAnew) {
  ImageCatalog catalog;
  catalog.Add({Known("r.example/a:1", kA)});
  catalog.ForgetDigest(kA);
  EXPECT_EQ(catalog.Find(Ref("r.example/a:1"), PullPolicy::kNever), nullptr);
  EXPECT_FALSE(catalog.List()[0].unpacked);
}

TEST(PullPolicyTest, ReadsTheApisWords) {
  EXPECT_EQ(ParsePullPolicy("Always"), PullPolicy::kAlways);
  EXPECT_EQ(ParsePullPolicy("Never"), PullPolicy::kNever);
  EXPECT_EQ(ParsePullPolicy("IfNotPresent"), PullPolicy::kIfNotPresent);
  EXPECT_EQ(ParsePullPolicy(""), PullPolicy::kDefault);
}

}  // namespace
}  // namespace updraft::node_agent
