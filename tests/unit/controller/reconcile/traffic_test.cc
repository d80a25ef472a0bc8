#include "controller/reconcile/traffic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;

std::string Short(const TrafficTarget& target) {
  return (target.tag.empty() ? "" : target.tag + ":") + target.revision + "=" +
         std::to_string(target.percent);
}

// A configuration "hello" whose latest ready revision is hello-00002; revisions 1 to 3 of it, the
// third not ready and the fourth failed; "other-00001" belongs to another service; "free" to none.
ObjectsByName Configurations() {
  Json hello = ReadyObject(ConfigurationObject());
  hello["status"]["latestReadyRevisionName"] = "hello-00002";
  return {{"hello", Share(hello)},
          {"young", Share(ReadyObject(ConfigurationObject("young"), "Unknown"))},
          {"broken", Share(ReadyObject(ConfigurationObject("broken"), "False", "RevisionFailed"))}};
}
ObjectsByName Revisions() {
  Json free = ReadyObject(RevisionObject("free", 1, "free"));
  free["metadata"]["labels"].erase(label::kService);
  return {
      {"hello-00001", Share(ReadyObject(RevisionObject("hello-00001", 1)))},
      {"hello-00002", Share(ReadyObject(RevisionObject("hello-00002", 2)))},
      {"hello-00003", Share(ReadyObject(RevisionObject("hello-00003", 3), "Unknown"))},
      {"hello-00004", Share(ReadyObject(RevisionObject("hello-00004", 4), "False", "ExitCode1"))},
      {"other-00001", Share(ReadyObject(RevisionObject("other-00001", 1, "other")))},
      {"free", Share(free)}};
}

Json Latest(const std::string& configuration, int percent) {
  return {{"configurationName", configuration}, {"latestRevision", true}, {"percent", percent}};
}
Json To(const std::string& revision, int percent) {
  return {{"revisionName", revision}, {"latestRevision", false}, {"percent", percent}};
}
Json Tagged(Json target, const std::string& tag) {
  target["tag"] = tag;
  return target;
}

AssignedTraffic Assign(std::vector<Json> traffic) {
  Json route = RouteObject();
  route["spec"]["traffic"] = std::move(traffic);
  return AssignTraffic(route, Configurations(), Revisions());
}

TEST(TrafficTest, ConfigurationsStandForTheirLatestReadyRevision) {
  const AssignedTraffic assigned = Assign({Latest("hello", 100)});
  ASSERT_EQ(assigned.targets.size(), 1u);
  EXPECT_EQ(Short(assigned.targets[0]), "hello-00002=100");
  EXPECT_EQ(assigned.targets[0].latest, true);
  EXPECT_FALSE(assigned.problem);
}

TEST(TrafficTest, EqualTargetsAreMergedOthersKeepTheirOrder) {
  const AssignedTraffic assigned =
      Assign({To("hello-00001", 20), Latest("hello", 50), To("hello-00001", 20),
              Tagged(To("hello-00001", 10), "old"), To("hello-00002", 0)});
  std::vector<std::string> texts;
  for (const TrafficTarget& target : assigned.targets) texts.push_back(Short(target));
  EXPECT_THAT(texts, ElementsAre("hello-00001=40", "hello-00002=50", "old:hello-00001=10",
                                 "hello-00002=0"));
}

struct ProblemCase {
  std::string name;
  std::vector<Json> traffic;
  bool failed;
  std::string reason;
  std::string message;
};
class TrafficProblemTest : public testing::TestWithParam<ProblemCase> {};

TEST_P(TrafficProblemTest, IsTold) {
  const AssignedTraffic assigned = Assign(GetParam().traffic);
  ASSERT_TRUE(assigned.problem);
  EXPECT_TRUE(assigned.targets.empty());
  EXPECT_EQ(assigned.problem->failed, GetParam().failed);
  EXPECT_EQ(assigned.problem->reason, GetParam().reason);
  EXPECT_EQ(assigned.problem->message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TrafficProblemTest,
    testing::ValuesIn(std::vector<ProblemCase>{
        {"NoConfiguration",
         {Latest("none", 100)},
         true,
         "ConfigurationMissing",
         "Configuration \"none\" referenced in traffic not found."},
        {"NoRevision",
         {To("none", 100)},
         true,
         "RevisionMissing",
         "Revision \"none\" referenced in traffic not found."},
        {"YoungConfiguration",
         {Latest("young", 100)},
         false,
         "RevisionMissing",
         "Configuration \"young\" is waiting for a Revision to become ready."},
        {"BrokenConfiguration",
         {Latest("broken", 100)},
         true,
         "RevisionMissing",
         "Configuration \"broken\" does not have any ready Revision."},
        {"YoungRevision",
         {To("hello-00003", 100)},
         false,
         "RevisionMissing",
         "Revision \"hello-00003\" is not yet ready."},
        {"BrokenRevision",
         {To("hello-00004", 100)},
         true,
         "RevisionMissing",
         "Revision \"hello-00004\" failed to become ready."},
        {"AnotherServicesRevision",
         {To("other-00001", 100)},
         true,
         "RevisionNotOwned",
         "Revision \"other-00001\" belongs to Service \"other\", not Service \"hello\"."},
        {"NobodysRevision",
         {To("free", 100)},
         true,
         "RevisionNotOwned",
         "Revision \"free\" does not belong to Service \"hello\"."},
        {"TheFirstOfTwo",
         {To("hello-00003", 50), Latest("young", 50)},
         false,
         "RevisionMissing",
         "Revision \"hello-00003\" is not yet ready."},
        {"AFailureOutweighs",
         {To("hello-00003", 50), To("none", 50)},
         true,
         "RevisionMissing",
         "Revision \"none\" referenced in traffic not found."},
    }),
    [](const auto& test) { return test.param.name; });

TEST(TrafficTest, SharesOfAHostSumItsTargetsUp) {
  const std::vector<TrafficTarget> targets = {{.revision = "a", .percent = 30},
                                              {.revision = "b", .percent = 60},
                                              {.tag = "t", .revision = "a", .percent = 10},
                                              {.tag = "u", .revision = "b"}};
  EXPECT_THAT(SharesOf(targets, ""), ElementsAre(RevisionShare{"a", 40}, RevisionShare{"b", 60}));
  EXPECT_THAT(SharesOf(targets, "t"), ElementsAre(RevisionShare{"a", 100}));
  EXPECT_THAT(SharesOf(targets, "u"), ElementsAre(RevisionShare{"b", 100}));
}

}  // namespace
}  // namespace updraft::controller
