#include "cli/platform/runtime_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace updraft::cli {
namespace {

using testing::HasSubstr;

RuntimeTrial Works(const std::string& name) {
  return {.name = name, .binary = "/usr/bin/" + name, .version = name + " 1.0", .works = true, .failure = ""};
}
RuntimeTrial Fails(const std::string& name, const std::string& how) {
  return {.name = name, .binary = "/usr/bin/" + name, .version = name + " 1.0", .works = false, .failure = how};
}
RuntimeTrial Missing(const std::string& name) {
  return {.name = name, .binary = "", .version = name, .works = false, .failure = ""};
}

TEST(ChooseRuntimeTest, CrunIsPreferredWhereItWorks) {
  const auto choice = ChooseRuntime("auto", CgroupLayout::kV2, Works("crun"), Works("runc"));
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->name, "crun");
  EXPECT_THAT(choice->reason, HasSubstr("cgroup v2"));
}

TEST(ChooseRuntimeTest, RuncIsTakenWhereCrunFailsAndTheReasonSaysHow) {
  const auto choice = ChooseRuntime("auto", CgroupLayout::kV1, Fails("crun", "no such device"), Works("runc"));
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->name, "runc");
  EXPECT_THAT(choice->reason, HasSubstr("no such device"));
}

TEST(ChooseRuntimeTest, RuncIsTakenWhereCrunIsNotInstalled) {
  const auto choice = ChooseRuntime("auto", CgroupLayout::kV1, Missing("crun"), Works("runc"));
  ASSERT_TRUE(choice.has_value());
  EXPECT_THAT(choice->reason, HasSubstr("crun is not installed"));
}

TEST(ChooseRuntimeTest, TheHybridLayoutIsMentioned) {
  const auto choice = ChooseRuntime("auto", CgroupLayout::kHybrid, Works("crun"), Works("runc"));
  ASSERT_TRUE(choice.has_value());
  EXPECT_THAT(choice->reason, HasSubstr("hybrid"));
}

TEST(ChooseRuntimeTest, AWishIsObeyedOrRefusedWithWords) {
  EXPECT_EQ(ChooseRuntime("runc", CgroupLayout::kV2, Works("crun"), Works("runc"))->name, "runc");
  const auto refused = ChooseRuntime("crun", CgroupLayout::kV2, Fails("crun", "boom"), Works("runc"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("boom"));
}

TEST(ChooseRuntimeTest, NoneWorkingNamesBoth) {
  const auto none = ChooseRuntime("auto", CgroupLayout::kV2, Fails("crun", "boom"), Missing("runc"));
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("boom"));
  EXPECT_THAT(none.error().message, HasSubstr("runc is not installed"));
}

TEST(ChooseRuntimeTest, AnUnknownWishNamesTheFlag) {
  const auto refused = ChooseRuntime("kata", CgroupLayout::kV2, Works("crun"), Works("runc"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("--runtime kata"));
}

}  // namespace
}  // namespace updraft::cli
