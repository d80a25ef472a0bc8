#include "node-agent/containerd/snapshot_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;

namespace fs = std::filesystem;

class SnapshotFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/updraft-layers-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    directory_ = pattern;
    for (const char* layer : {"top", "bottom"}) fs::create_directories(directory_ / layer / "etc");
    layers_ = {directory_ / "top", directory_ / "bottom"};
  }
  void TearDown() override { fs::remove_all(directory_); }

  void Write(const std::string& path, const std::string& content) { std::ofstream(directory_ / path) << content; }

  fs::path directory_;
  std::vector<std::string> layers_;
};

TEST_F(SnapshotFilesTest, TheTopmostLayerWins) {
  Write("bottom/etc/passwd", "old");
  EXPECT_EQ(**ReadSnapshotFile(layers_, "/etc/passwd", 100), "old");
  Write("top/etc/passwd", "new");
  EXPECT_EQ(**ReadSnapshotFile(layers_, "/etc/passwd", 100), "new");
}

TEST_F(SnapshotFilesTest, WhatIsNowhereIsNoError) {
  EXPECT_EQ(*ReadSnapshotFile(layers_, "/etc/passwd", 100), std::nullopt);
}

TEST_F(SnapshotFilesTest, WhatWasRemovedStaysRemoved) {
  Write("bottom/etc/passwd", "old");
  if (mknod((directory_ / "top/etc/passwd").c_str(), S_IFCHR, makedev(0, 0)) != 0) GTEST_SKIP() << "needs mknod";
  EXPECT_EQ(*ReadSnapshotFile(layers_, "/etc/passwd", 100), std::nullopt);
}

TEST_F(SnapshotFilesTest, LinksDoNotLeaveTheLayer) {
  Write("secret", "outside");
  fs::create_symlink("../../secret", directory_ / "bottom/etc/passwd");
  EXPECT_EQ(*ReadSnapshotFile(layers_, "/etc/passwd", 100), std::nullopt);
  Write("bottom/etc/real", "inside");
  fs::remove(directory_ / "bottom/etc/passwd");
  fs::create_symlink("/etc/real", directory_ / "bottom/etc/passwd");
  EXPECT_EQ(**ReadSnapshotFile(layers_, "/etc/passwd", 100), "inside");
}

TEST_F(SnapshotFilesTest, AnythingButAFileIsNoFile) {
  fs::create_directories(directory_ / "top/etc/passwd");
  Write("bottom/etc/passwd", "old");
  ASSERT_EQ(mkfifo((directory_ / "top/etc/group").c_str(), 0600), 0);
  EXPECT_EQ(*ReadSnapshotFile({layers_[0]}, "/etc/group", 100), std::nullopt);
}

TEST_F(SnapshotFilesTest, AFileThatIsTooLargeIsRefused) {
  Write("top/etc/passwd", std::string(101, 'x'));
  const auto text = ReadSnapshotFile(layers_, "/etc/passwd", 100);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::kResourceExhausted);
}

TEST(LayerDirectoriesTest, OverlayAndBind) {
  EXPECT_THAT(*LayerDirectories({{.type = "overlay", .source = "overlay",
                                  .options = {"index=off", "workdir=/w", "upperdir=/u", "lowerdir=/b:/a"}}}),
              ElementsAre("/u", "/b", "/a"));
  EXPECT_THAT(*LayerDirectories({{.type = "bind", .source = "/s", .options = {"rbind", "rw"}}}), ElementsAre("/s"));
  EXPECT_EQ(LayerDirectories({{.type = "ext4", .source = "/dev/x", .options = {}}}).error().code, Code::kUnimplemented);
  EXPECT_FALSE(LayerDirectories({}));
}

}  // namespace
}  // namespace updraft::node_agent
