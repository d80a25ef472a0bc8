#include "node-agent/instance/cgroup_usage.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace updraft::node_agent {
namespace {

namespace fs = std::filesystem;

class CgroupUsageTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/updraft-cgroup-usage-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST_F(CgroupUsageTest, UnifiedHierarchy) {
  Write("updraft/a/memory.current", "5000000\n");
  Write("updraft/a/memory.stat", "anon 4000000\ninactive_file 300000\nactive_file 700000\n");
  Write("updraft/a/cpu.stat", "usage_usec 1234567\nuser_usec 1\n");
  const auto usage = ReadCgroupUsage({.path = root_, .layout = CgroupLayout::kUnified}, "/updraft/a");
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->memory_bytes, 4'700'000);
  EXPECT_EQ(usage->cpu_ns, 1'234'567'000);
}

TEST_F(CgroupUsageTest, LegacyHierarchies) {
  Write("memory/updraft/a/memory.usage_in_bytes", "5000000\n");
  Write("memory/updraft/a/memory.stat", "cache 1\ntotal_inactive_file 6000000\n");
  Write("cpuacct/updraft/a/cpuacct.usage", "987654321\n");
  const auto usage = ReadCgroupUsage({.path = root_, .layout = CgroupLayout::kV1}, "/updraft/a");
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->memory_bytes, 0);
  EXPECT_EQ(usage->cpu_ns, 987'654'321);
}

TEST_F(CgroupUsageTest, OneThatIsGoneSaysNothing) {
  EXPECT_FALSE(ReadCgroupUsage({.path = root_, .layout = CgroupLayout::kUnified}, "/updraft/a").has_value());
}

}  // namespace
}  // namespace updraft::node_agent
