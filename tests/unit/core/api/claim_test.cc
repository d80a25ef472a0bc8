#include "core/api/claim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/defaults.h"
#include "core/api/kinds.h"

namespace updraft::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Json Claim(const std::string& spec) {
  Json claim = Json::parse(R"({"apiVersion":"v1","kind":"PersistentVolumeClaim",
      "metadata":{"name":"data","namespace":"default","uid":"u1"}})");
  claim["spec"] = Json::parse(spec);
  return claim;
}

Json Good() {
  return Claim(R"({"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}})");
}

Json DefaultedClaim(Json claim) {
  const ServingConfig config;
  SetDefaults(*FindKind("v1", "PersistentVolumeClaim"), claim, {.config = &config, .user = ""});
  return claim;
}

std::vector<std::string> Cells(const Json& claim) {
  std::vector<std::string> cells;
  for (const Column& column : FindKind("v1", "PersistentVolumeClaim")->columns) {
    if (column.name == "Age") continue;
    const Json cell = column.value(claim, WallTime());
    cells.push_back(cell.is_string() ? cell.get<std::string>() : cell.dump());
  }
  return cells;
}

TEST(ClaimTest, IsBoundAtOnce) {
  const Json claim = DefaultedClaim(Good());
  EXPECT_TRUE(IsBound(claim));
  EXPECT_EQ(claim["spec"]["volumeName"], "pvc-u1");
  EXPECT_EQ(claim["spec"]["volumeMode"], "Filesystem");
  EXPECT_EQ(claim["spec"]["storageClassName"], "local-path");
  EXPECT_EQ(claim["status"]["capacity"]["storage"], "1Gi");
  EXPECT_EQ(DefaultedClaim(claim), claim);
  EXPECT_THAT(Cells(claim), ElementsAre("data", "Bound", "pvc-u1", "1Gi", "RWO", "local-path",
                                        "<unset>", "Filesystem"));
}

TEST(ClaimTest, WhatNoDirectoryIsStaysPending) {
  for (const char* asked :
       {R"({"volumeName":"mine"})", R"({"volumeMode":"Block"})", R"({"selector":{}})",
        R"({"dataSource":{"kind":"VolumeSnapshot","name":"x"}})",
        R"({"dataSourceRef":{"kind":"VolumeSnapshot","name":"x"}})"}) {
    Json claim = Good();
    claim["spec"].update(Json::parse(asked));
    EXPECT_FALSE(IsBound(DefaultedClaim(claim))) << asked;
    EXPECT_EQ(DefaultedClaim(claim)["status"]["phase"], "Pending") << asked;
  }
}

struct ClaimCase {
  const char* spec;
  const char* field;
  const char* message;
};

class ClaimRuleTest : public testing::TestWithParam<ClaimCase> {};

TEST_P(ClaimRuleTest, IsKept) {
  const auto problems =
      ValidateKubernetes(*FindKind("v1", "PersistentVolumeClaim"), Claim(GetParam().spec), nullptr);
  ASSERT_EQ(problems.size(), 1U) << GetParam().spec;
  EXPECT_EQ(problems[0].field, GetParam().field);
  EXPECT_EQ(problems[0].message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ClaimRuleTest,
    testing::Values(
        ClaimCase{R"({"resources":{"requests":{"storage":"1Gi"}}})", "spec.accessModes",
                  "Required value: at least 1 access mode is required"},
        ClaimCase{R"({"accessModes":["Write"],"resources":{"requests":{"storage":"1Gi"}}})",
                  "spec.accessModes",
                  "Unsupported value: \"Write\": supported values: \"ReadOnlyMany\", "
                  "\"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\""},
        ClaimCase{
            R"({"accessModes":["ReadWriteOncePod","ReadOnlyMany"],"resources":{"requests":{"storage":"1Gi"}}})",
            "spec.accessModes", "Forbidden: may not use ReadWriteOncePod with other access modes"},
        ClaimCase{R"({"accessModes":["ReadWriteOnce"]})", "spec.resources[storage]",
                  "Required value"},
        ClaimCase{R"({"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"0"}}})",
                  "spec.resources[storage]", "Invalid value: \"0\": must be greater than zero"},
        ClaimCase{
            R"({"accessModes":["ReadWriteOnce"],"volumeMode":"Tape","resources":{"requests":{"storage":"1Gi"}}})",
            "spec.volumeMode",
            "Unsupported value: \"Tape\": supported values: \"Block\", \"Filesystem\""}));

TEST(ClaimTest, OnlyItsSizeMayGrow) {
  const Json old = DefaultedClaim(Good());
  Json grown = old;
  grown["spec"]["resources"]["requests"]["storage"] = "2Gi";
  EXPECT_THAT(ValidateClaim(grown, &old), IsEmpty());
  EXPECT_EQ(DefaultedClaim(grown)["status"]["capacity"]["storage"], "2Gi");
  const auto shrunk = ValidateClaim(old, &grown);
  ASSERT_EQ(shrunk.size(), 1U);
  EXPECT_EQ(shrunk[0].field, "spec.resources.requests.storage");
  EXPECT_EQ(shrunk[0].message, "Forbidden: field can not be less than status.capacity");
  Json moved = old;
  moved["spec"]["accessModes"] = {"ReadWriteMany"};
  const auto changed = ValidateClaim(moved, &old);
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].field, "spec");
  EXPECT_THAT(changed[0].message,
              testing::StartsWith("Forbidden: spec is immutable after creation"));
}

}  // namespace
}  // namespace updraft::api
