#include "node-agent/instance/claim_folders.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "node-agent/instance/tree.h"

namespace updraft::node_agent {
namespace {

namespace fs = std::filesystem;

class ClaimFoldersTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/updraft-claims-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  void Make(const std::string& claim) {
    fs::create_directories(root_ / claim / "deep/er");
    std::ofstream(root_ / claim / "deep/file") << "content";
    fs::create_symlink("/etc", root_ / claim / "deep/link");
  }
  size_t Count() const { return static_cast<size_t>(std::distance(fs::directory_iterator(root_), {})); }
  bool AwaitCount(size_t count) const {
    for (int tries = 0; Count() != count && tries < 5000; ++tries) poll(nullptr, 0, 1);
    return Count() == count;
  }

  fs::path root_;
  std::set<std::string> used_;
};

TEST_F(ClaimFoldersTest, AClaimThatIsGoneLeavesWhenNobodyUsesItAnyMore) {
  ClaimFolders folders(root_, [this](const std::string& claim) { return used_.contains(claim); });
  for (const char* claim : {"pvc-a", "pvc-b", "pvc-c"}) Make(claim);
  used_ = {"pvc-b"};
  folders.Remove("pvc-a");
  folders.Remove("pvc-b");
  folders.Remove("pvc-never-here");
  EXPECT_FALSE(fs::exists(root_ / "pvc-a"));
  EXPECT_TRUE(AwaitCount(2));
  folders.OnInstanceOver();
  EXPECT_TRUE(fs::exists(root_ / "pvc-b/deep/file"));
  used_.clear();
  folders.OnInstanceOver();
  EXPECT_TRUE(AwaitCount(1));
  EXPECT_TRUE(fs::exists(root_ / "pvc-c/deep/file"));
  EXPECT_TRUE(fs::exists("/etc/passwd"));
}

TEST_F(ClaimFoldersTest, WhatAnEarlierAgentLeftGoesToo) {
  for (const char* claim : {"pvc-a", "pvc-b", ".gone-pvc-c"}) Make(claim);
  ClaimFolders folders(root_, [](const std::string&) { return false; });
  folders.KeepOnly({"pvc-b", "pvc-elsewhere"});
  EXPECT_TRUE(AwaitCount(1));
  EXPECT_TRUE(fs::exists(root_ / "pvc-b/deep/file"));
}

TEST_F(ClaimFoldersTest, ATreeIsMeasuredWithoutWhatItsLinksPointTo) {
  const std::atomic<bool> stop = false;
  Make("a");
  const int64_t before = BytesIn(root_, stop);
  std::ofstream(root_ / "a/deep/er/more") << std::string(1 << 20, 'x') << std::flush;
  const int64_t after = BytesIn(root_, stop);
  EXPECT_GE(after - before, 1 << 20);
  EXPECT_LT(after, 2 << 20);
  EXPECT_EQ(BytesIn(root_ / "a/deep/link", stop), 0);
  EXPECT_EQ(BytesIn(root_ / "none", stop), 0);
}

TEST_F(ClaimFoldersTest, NothingIsRemovedThroughALink) {
  const std::atomic<bool> stop = false;
  Make("a");
  Make("b");
  fs::create_symlink(root_ / "b", root_ / "a/b");
  RemoveTree(root_ / "a", stop);
  EXPECT_FALSE(fs::exists(root_ / "a"));
  EXPECT_TRUE(fs::exists(root_ / "b/deep/file"));
}

}  // namespace
}  // namespace updraft::node_agent
