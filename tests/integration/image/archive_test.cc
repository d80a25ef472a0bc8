// Loads archives.
#include "node-agent/image/digest.h"
#include "tests/integration/image/image_test.h"

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ArchiveTest : public ImageTest {
 protected:
  const std::vector<TestLayer> layers_ = {{.files = {{"app", "one"}}},
                                          {.files = {{"etc/x", Noise(100'000, 1)}}}};
};

TEST_F(ArchiveTest, LoadsBothFormatsInEveryCompression) {
  const TestImage image = MakeImage(layers_);
  for (const Packing packing : {Packing::kPlain, Packing::kGzip, Packing::kZstd}) {
    for (const bool docker : {false, true}) {
      TestStore store(lab());
      store.AwaitReady();
      const std::string archive = docker ? DockerArchive(layers_, "team/app:1", packing)
                                         : OciArchive(image, "team/app:1", packing);
      const auto names = store.Load(archive, {.file_name = "app.tar"});
      ASSERT_TRUE(names) << Message(names);
      EXPECT_THAT(*names, ElementsAre("docker.io/team/app:1"));
      const auto found = store.Find({.image = "team/app:1"});
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(lab().ReadFile(found->chain_id, "app"), "one");
      EXPECT_EQ(lab().ReadFile(found->chain_id, "etc/x"), Noise(100'000, 1));
      EXPECT_EQ(found->digest == image.root.digest, !docker);
      EXPECT_THAT(lab().Leases(), IsEmpty());
      lab().Clear();
    }
  }
}

TEST_F(ArchiveTest, BytesMayComeInAnyPieces) {
  TestStore store(lab());
  const std::string archive =
      OciArchive(MakeImage({{.files = {{"a", "b"}}}}), "a:1", Packing::kGzip);
  const auto names = store.Load(archive, {.file_name = "a.tar"}, 7);
  EXPECT_TRUE(names) << Message(names);
}

TEST_F(ArchiveTest, LoadedImagesWinOverTheRegistry) {
  FakeRegistry registry;
  registry.Add(MakeImage({{.files = {{"a", "registry"}}}}), "latest");
  const TestImage own = MakeImage({{.files = {{"a", "archive"}}}});
  TestStore store(lab());
  const std::string name = registry.host() + "/app";
  ASSERT_TRUE(store.Load(OciArchive(own, ""), {.file_name = "x", .reference = name}));
  const auto digest = store.Resolve(name);
  ASSERT_TRUE(digest) << Message(digest);
  EXPECT_EQ(*digest, own.root.digest);
  const auto image =
      store.Ensure({.image = name, .digest = *digest, .policy = PullPolicy::kAlways});
  ASSERT_TRUE(image) << Message(image);
  EXPECT_EQ(lab().ReadFile((*image)->chain_id, "a"), "archive");
  EXPECT_TRUE(registry.Requests().empty());
  ASSERT_EQ(store.List().size(), 1U);
  EXPECT_TRUE(store.List()[0].loaded);

  TestStore restarted(lab());  // asks before it has read anything
  const auto again = restarted.Ensure({.image = name});
  ASSERT_TRUE(again) << Message(again);
  EXPECT_EQ((*again)->digest, own.root.digest);
  EXPECT_TRUE(registry.Requests().empty());
}

TEST_F(ArchiveTest, ImagesOfLocalNamesNeedNoRegistry) {
  const TestImage image = MakeImage(layers_);
  TestStore store(lab());
  ASSERT_TRUE(store.Load(OciArchive(image, "ko.local/app:1"), {.file_name = "x"}));
  const auto digest = store.Resolve("ko.local/app:1");
  ASSERT_TRUE(digest) << Message(digest);
  EXPECT_EQ(*digest, image.root.digest);
  EXPECT_TRUE(store.Ensure({.image = "ko.local/app:1"}));
}

TEST_F(ArchiveTest, ReportsHowFarItIs) {
  TestStore store(lab());
  const std::string archive = OciArchive(MakeImage(layers_), "a:1");
  std::vector<ImageProgress> reports;  // written on the loader's thread, read after its end
  ASSERT_TRUE(store.Load(
      archive, {.file_name = "a", .size_bytes = static_cast<int64_t>(archive.size())}, 64 << 10,
      [&reports](const ImageProgress& progress) { reports.push_back(progress); }));
  ASSERT_GE(reports.size(), 3U);
  EXPECT_EQ(reports.front().step, "reading");
  EXPECT_GE(reports.front().bytes_total, static_cast<int64_t>(archive.size()));
  EXPECT_EQ(reports.back().step, "unpacking layer 2/2");
}

TEST_F(ArchiveTest, BadArchivesAreDescribedAndLeaveNothing) {
  const TestImage image = MakeImage(layers_);
  const std::string good = OciArchive(image, "a:1");
  TestImage damaged = image;
  damaged.blobs[image.layers[0].digest].back() ^= 1;
  TestImage incomplete = image;
  incomplete.blobs.erase(image.layers[1].digest);
  struct Case {
    std::string archive;
    std::string error;
  };
  const std::vector<Case> cases = {
      {"", "archive"},
      {"this is no archive at all", "not a readable tar archive"},
      {Noise(100'000, 3), "not a readable tar archive"},
      {good.substr(0, good.size() / 2), "Truncated tar archive"},
      {Tar({{"hello", "world"}}), "neither index.json"},
      {OciArchive(damaged, "a:1"), "digest mismatch: the archive's blobs/sha256/"},
      {OciArchive(incomplete, "a:1"), "is missing"},
      {OciArchive(MakeImage(layers_, {.architecture = "s390x"}), "a:1"), "no matching platform"},
      {Tar({{"index.json", "{"}}), "index.json is no image index"},
      {Tar({{"blobs/sha256/xyz", "1"}}), "not named by a digest"},
  };
  TestStore store(lab());
  for (const Case& c : cases) {
    const auto names = store.Load(c.archive, {.file_name = "bad.tar"});
    ASSERT_FALSE(names) << c.error;
    EXPECT_THAT(Message(names), HasSubstr(c.error));
    lab().CollectGarbage();  // else the next case finds what was good of this one
  }
  lab().CollectGarbage();
  EXPECT_THAT(lab().Blobs(), IsEmpty());
  EXPECT_THAT(lab().Snapshots(), IsEmpty());
  EXPECT_THAT(lab().Leases(), IsEmpty());
  EXPECT_TRUE(store.List().empty());
}

TEST_F(ArchiveTest, ALoaderThatIsAbandonedEnds) {
  TestStore store(lab());
  const std::string archive = OciArchive(MakeImage(layers_), "a:1");
  {
    const auto loader = store.Loader({.file_name = "a"});
    loader->Write(archive.substr(0, 5000), [](const Status&) {});
  }
  lab().CollectGarbage();
  EXPECT_THAT(lab().Blobs(), IsEmpty());
  EXPECT_TRUE(store.List().empty());
}

}  // namespace
}  // namespace updraft::node_agent
