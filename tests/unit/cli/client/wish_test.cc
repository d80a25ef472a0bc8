#include "cli/client/wish.h"

#include <gtest/gtest.h>

#include "core/api/read.h"

namespace updraft::cli {
namespace {

Json Object(const std::string& ready, int generation = 1, int observed = 1) {
  return {
      {"metadata", {{"generation", generation}}},
      {"status",
       {{"observedGeneration", observed},
        {"conditions",
         {{{"type", "Ready"}, {"status", ready}, {"reason", "Why"}, {"message", "because"}}}}}}};
}

TEST(ParseWishTest, Forms) {
  EXPECT_TRUE(ParseWish("delete")->deleted);
  EXPECT_EQ(ParseWish("condition=Ready")->status, "True");
  EXPECT_EQ(ParseWish("condition=Ready=false")->status, "false");
  EXPECT_EQ(ParseWish("condition=Ready=false")->condition, "Ready");
  for (const char* nonsense : {"", "condition", "condition=", "jsonpath=x", "create"})
    EXPECT_FALSE(ParseWish(nonsense)) << nonsense;
}

TEST(FulfilsTest, ConditionAndGeneration) {
  const Wish ready{.condition = "Ready"};
  EXPECT_TRUE(Fulfils(Object("True"), ready));
  EXPECT_FALSE(Fulfils(Object("Unknown"), ready));
  EXPECT_FALSE(Fulfils(Object("True", 2, 1), ready)) << "the status is about an older spec";
  EXPECT_FALSE(Fulfils(Json::object(), ready));
  EXPECT_TRUE(Fulfils(Object("False"), {.condition = "Ready", .status = "false"}));
}

TEST(WhyNotTest, InTheObjectsWords) {
  EXPECT_EQ(WhyNot(Object("False"), {.condition = "Ready"}), "Ready is False: Why: because");
  EXPECT_EQ(WhyNot(Json::object(), {.condition = "Ready"}), "has no condition Ready");
}

}  // namespace
}  // namespace updraft::cli
