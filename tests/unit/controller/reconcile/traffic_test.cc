#include "controller/reconcile/traffic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/reconcile/rollout.h"
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
  EXPECT_THAT(SharesOf(targets, "", {}),
              ElementsAre(RevisionShare{"a", 40}, RevisionShare{"b", 60}));
  EXPECT_THAT(SharesOf(targets, "t", {}), ElementsAre(RevisionShare{"a", 100}));
  EXPECT_THAT(SharesOf(targets, "u", {}), ElementsAre(RevisionShare{"b", 100}));
}

// ---- rollouts

constexpr int64_t kSecond = 1'000'000'000;
const WallTime kRolloutNow = FromUnixNanos(2020 * kSecond);

// "tag:configuration 100 a=99 b=1 @started,next,length,percent" of each.
std::string Text(const Rollout& rollout) {
  std::string text;
  for (const ConfigurationRollout& one : rollout.configurations) {
    text += (text.empty() ? "" : "; ") + (one.tag.empty() ? "" : one.tag + ":") +
            one.configuration + " " + std::to_string(one.percent);
    for (const RevisionShare& share : one.revisions)
      text += " " + share.revision + "=" + std::to_string(share.percent);
    if (one.steps == RolloutSteps{}) continue;
    text += " @" + std::to_string(one.steps.started) + "," + std::to_string(one.steps.next) + "," +
            std::to_string(one.steps.length) + "," + std::to_string(one.steps.percent);
  }
  return text;
}

ConfigurationRollout One(const std::string& configuration, std::vector<RevisionShare> revisions,
                         RolloutSteps steps = {}) {
  int64_t percent = 0;
  for (const RevisionShare& share : revisions) percent += share.percent;
  return {.configuration = configuration,
          .percent = percent,
          .revisions = std::move(revisions),
          .steps = steps};
}

// Steps that are due now, and when the next one is then.
constexpr int64_t kNow2020 = 2020 * kSecond;
const RolloutSteps kDue{.started = 5, .next = kNow2020, .length = 7, .percent = 3};
const std::string kStepped = " @5," + std::to_string(kNow2020 + 7) + ",7,3";
const std::string kBegun = " @" + std::to_string(kNow2020) + ",0,0,0";

struct StepCase {
  std::string name;
  std::vector<ConfigurationRollout> previous;
  std::vector<ConfigurationRollout> goal;
  std::string text;
};
class RolloutStepTest : public testing::TestWithParam<StepCase> {};

TEST_P(RolloutStepTest, Gives) {
  const RolloutStep step = StepRollout({GetParam().goal}, {GetParam().previous}, kRolloutNow);
  EXPECT_EQ(Text(step.rollout), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RolloutStepTest,
    testing::ValuesIn(std::vector<StepCase>{
        {"NothingBefore", {}, {One("m", {{"a", 100}})}, "m 100 a=100"},
        {"NothingNew", {One("m", {{"a", 100}})}, {One("m", {{"a", 100}})}, "m 100 a=100"},
        {"Begins", {One("m", {{"a", 100}})}, {One("m", {{"b", 100}})}, "m 100 a=99 b=1" + kBegun},
        {"Waits",
         {One("m", {{"a", 99}, {"b", 1}}, {.started = 5})},
         {One("m", {{"b", 100}})},
         "m 100 a=99 b=1 @5,0,0,0"},
        {"Steps",
         {One("m", {{"a", 95}, {"b", 5}}, kDue)},
         {One("m", {{"b", 100}})},
         "m 100 a=92 b=8" + kStepped},
        {"IsNotDueYet",
         {One("m", {{"a", 95}, {"b", 5}}, {5, kNow2020 + 1, 7, 3})},
         {One("m", {{"b", 100}})},
         "m 100 a=95 b=5 @5," + std::to_string(kNow2020 + 1) + ",7,3"},
        {"TheLastStepTakesAllThatIsLeft",
         {One("m", {{"a", 2}, {"b", 98}}, kDue)},
         {One("m", {{"b", 100}})},
         "m 100 b=100"},
        {"AStepTakesFromTheSecondNewestFirst",
         {One("m", {{"a", 90}, {"b", 2}, {"c", 8}}, kDue)},
         {One("m", {{"c", 100}})},
         "m 100 a=89 c=11" + kStepped},
        {"ASecondRolloutBeginsOnTopOfTheFirst",
         {One("m", {{"a", 95}, {"b", 5}}, kDue)},
         {One("m", {{"c", 100}})},
         "m 100 a=95 b=4 c=1" + kBegun},
        {"ARevisionWithOnePercentIsPassedOver",
         {One("m", {{"a", 99}, {"b", 1}}, {.started = 5})},
         {One("m", {{"c", 100}})},
         "m 100 a=99 c=1" + kBegun},
        {"OfOnePercentNothingIsDivided", {One("m", {{"a", 1}})}, {One("m", {{"b", 1}})}, "m 1 b=1"},
        {"LessIsTakenFromTheOldest",
         {One("m", {{"a", 11}, {"b", 31}})},
         {One("m", {{"c", 30}})},
         "m 30 b=29 c=1" + kBegun},
        {"MoreIsGivenToTheNewest",
         {One("m", {{"a", 11}, {"b", 14}}, {.started = 5})},
         {One("m", {{"b", 75}})},
         "m 75 a=11 b=64 @5,0,0,0"},
        {"LessThanAStep",
         {One("m", {{"a", 40}, {"b", 10}}, {5, kNow2020, 7, 10})},
         {One("m", {{"b", 15}})},
         "m 15 b=15"},
        {"EachConfigurationForItself",
         {One("k", {{"x", 50}}), One("m", {{"a", 47}, {"b", 3}}, kDue)},
         {One("k", {{"y", 50}}), One("m", {{"b", 50}})},
         "k 50 x=49 y=1" + kBegun + "; m 50 a=44 b=6" + kStepped},
        {"AConfigurationThatIsNewGetsAllAtOnce",
         {One("m", {{"a", 100}})},
         {One("k", {{"x", 60}}), One("m", {{"a", 40}})},
         "k 60 x=60; m 40 a=40"},
        {"AConfigurationThatIsGone",
         {One("k", {{"x", 60}}), One("m", {{"a", 40}})},
         {One("m", {{"a", 100}})},
         "m 100 a=100"},
    }),
    [](const auto& test) { return test.param.name; });

struct PaceCase {
  int64_t took_ns;  // from the first percent to word that it is routed
  int64_t percent;
  int64_t length_ns;
  int64_t step_percent;
};

// 120 s in all. As many steps as fit, none of them shorter than the first took, whole seconds.
TEST(RolloutTest, TheFirstStepSaysHowLongTheOthersTake) {
  for (const PaceCase& pace : {PaceCase{1, 100, 1202020202, 1},
                               {3 * kSecond, 100, 3 * kSecond, 3},
                               {3 * kSecond, 75, 3 * kSecond, 2},
                               {3 * kSecond, 50, 3 * kSecond, 1},
                               {500 * kSecond, 13, kSecond, 12}}) {
    Rollout rollout{{One("m", {{"a", pace.percent - 1}, {"b", 1}}, {.started = 7})}};
    ObserveRouted(rollout, FromUnixNanos(7 + pace.took_ns), Seconds(120));
    const RolloutSteps wanted{.started = 7,
                              .next = 7 + pace.took_ns + pace.length_ns,
                              .length = pace.length_ns,
                              .percent = pace.step_percent};
    EXPECT_EQ(rollout.configurations[0].steps, wanted) << pace.took_ns << " " << pace.percent;
    const Rollout told = rollout;
    ObserveRouted(rollout, FromUnixNanos(999 * kSecond), Seconds(120));
    EXPECT_EQ(rollout, told) << "the first word counts";
  }
}

TEST(RolloutTest, TagsHaveTheirOwnAndPinnedTargetsNone) {
  const std::vector<TrafficTarget> targets = {
      {.revision = "b", .configuration = "m", .percent = 60, .latest = true},
      {.revision = "a", .percent = 40, .latest = false},
      {.tag = "t", .revision = "b", .configuration = "m", .percent = 0, .latest = true}};
  Rollout goal = RolloutGoal(targets);
  EXPECT_EQ(Text(goal), "m 60 b=60; t:m 100 b=100");
  EXPECT_THAT(SharesOf(targets, "t", goal), ElementsAre(RevisionShare{"b", 100}));

  goal.configurations[0].revisions = {{"a", 59}, {"b", 1}};
  EXPECT_THAT(SharesOf(targets, "", goal),
              ElementsAre(RevisionShare{"a", 99}, RevisionShare{"b", 1}));
}

TEST(RolloutTest, WhatIsKeptIsReadBackUnlessItMakesNoSense) {
  const KeptRollout kept{
      .rollout = {{One("m", {{"a", 99}, {"b", 1}}, {.started = 7, .next = 9, .length = 2})}},
      .targets = {
          {.tag = "t", .revision = "b", .configuration = "m", .percent = 100, .latest = true}}};
  Json route = RouteObject();
  WriteRollout(kept, route["status"]);
  const auto read = ReadRollout(route);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->rollout, kept.rollout);
  EXPECT_EQ(read->targets, kept.targets);

  Json& text = route["status"]["annotations"].front();
  const std::string good = text;
  for (const std::string& bad : {std::string("{"), std::string("7"),
                                 std::string(good).replace(good.find(":99"), 3, ":98")}) {
    text = bad;
    EXPECT_FALSE(ReadRollout(route)) << bad;
  }
}

}  // namespace
}  // namespace updraft::controller
