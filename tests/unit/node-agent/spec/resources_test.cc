#include "node-agent/spec/resources.h"

#include <gtest/gtest.h>

namespace updraft::node_agent {
namespace {

constexpr int64_t kMegabyte = 1 << 20;

TEST(CgroupResourcesTest, KnativesOwnExample) {  // limits 1 CPU and 128Mi, request 125m
  v1::Resources resources;
  resources.set_cpu_limit_millis(1000);
  resources.set_cpu_request_millis(125);
  resources.set_memory_limit_bytes(128 * kMegabyte);
  const nlohmann::json json = CgroupResources(resources, {.swap_limit = true});
  EXPECT_EQ(json["cpu"]["shares"], 128);
  EXPECT_EQ(json["cpu"]["quota"], 100000);
  EXPECT_EQ(json["cpu"]["period"], 100000);
  EXPECT_EQ(json["memory"]["limit"], 128 * kMegabyte);
  EXPECT_EQ(json["memory"]["swap"], 128 * kMegabyte);
  EXPECT_EQ(json["pids"]["limit"], kPidsLimitDefault);
  EXPECT_EQ(json["devices"][0]["allow"], false);
}

TEST(CgroupResourcesTest, NothingAskedForLimitsNothingButProcesses) {
  const nlohmann::json json = CgroupResources({}, {});
  EXPECT_EQ(json["cpu"]["shares"], 2);
  EXPECT_FALSE(json["cpu"].contains("quota"));
  EXPECT_FALSE(json.contains("memory"));
}

TEST(CgroupResourcesTest, StaysWithinTheKernelsBounds) {
  v1::Resources resources;
  resources.set_cpu_limit_millis(1);
  EXPECT_EQ(CgroupResources(resources, {})["cpu"]["quota"], 1000);
  resources.set_cpu_request_millis(1'000'000);
  EXPECT_EQ(CgroupResources(resources, {})["cpu"]["shares"], 262144);
}

TEST(CgroupResourcesTest, SwapIsLeftAloneWhereItCannotBeLimited) {
  v1::Resources resources;
  resources.set_memory_limit_bytes(kMegabyte);
  EXPECT_FALSE(CgroupResources(resources, {.swap_limit = false})["memory"].contains("swap"));
}

TEST(RlimitsTest, NeverAboveOurOwn) {
  EXPECT_EQ(Rlimits({.open_files_max = 20000})[0], nlohmann::json({{"type", "RLIMIT_NOFILE"}, {"hard", 20000}, {"soft", 20000}}));
  EXPECT_EQ(Rlimits({.open_files_max = 1u << 30})[0],
            nlohmann::json({{"type", "RLIMIT_NOFILE"}, {"hard", 1 << 20}, {"soft", 1 << 16}}));
}

TEST(OomScoreTest, WhoAskedForLittleGoesFirst) {
  const HostFacts host{.oom_score_adjust = 0, .memory_bytes = 1000 * kMegabyte};
  v1::Resources resources;
  EXPECT_EQ(OomScoreAdjust(resources, host), 1000);
  resources.set_memory_request_bytes(100 * kMegabyte);
  EXPECT_EQ(OomScoreAdjust(resources, host), 900);
  resources.set_memory_request_bytes(5000 * kMegabyte);
  EXPECT_EQ(OomScoreAdjust(resources, host), 3);
}

TEST(OomScoreTest, NeverBelowWhatWeMaySet) {
  v1::Resources resources;
  resources.set_memory_request_bytes(kMegabyte);
  EXPECT_EQ(OomScoreAdjust(resources, {.oom_score_adjust = 500, .memory_bytes = kMegabyte}), 503);
}

}  // namespace
}  // namespace updraft::node_agent
