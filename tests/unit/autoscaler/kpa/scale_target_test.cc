#include "autoscaler/kpa/scale_target.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

constexpr TimePoint kToday{Seconds(100'000)};

TargetState In(Active active, Nanos since, int applied = 1) {
  return {.active = active, .since = kToday - since, .initialized = true, .applied = applied};
}

TEST(NextTargetTest, ANewRevisionGetsItsInitialScale) {
  Policy policy;
  policy.initial_scale = 3;
  const TargetState born = BirthTarget(policy, false, 0, 0, true, kToday);
  EXPECT_EQ(born.applied, 3);
  EXPECT_EQ(born.active, Active::kActivating);
  // Two of three are not enough; three are.
  EXPECT_EQ(NextTarget(policy, {.desired = std::nullopt, .ready = 2}, born, kToday).active, Active::kActivating);
  const TargetState reached = NextTarget(policy, {.desired = std::nullopt, .ready = 3}, born, kToday);
  EXPECT_EQ(reached.active, Active::kTrue);
  EXPECT_TRUE(reached.initialized);
}

TEST(NextTargetTest, WhatRunsIsKeptWithoutAnOpinion) {
  const TargetState born = BirthTarget({}, true, 4, 4, true, kToday);
  EXPECT_EQ(NextTarget({}, {.desired = std::nullopt, .ready = 4}, born, kToday).applied, 4);
}

TEST(BirthTargetTest, WhatExistsBesideASuccessorDoesNotCountAboveTheBound) {
  Policy policy;
  policy.max_scale = 2;
  EXPECT_EQ(BirthTarget(policy, true, 1, 3, true, kToday).applied, 2);
  EXPECT_EQ(BirthTarget(policy, false, 1, 3, true, kToday).applied, 2);
}

TEST(NextTargetTest, BoundsAreKept) {
  Policy policy;
  policy.min_scale = 2;
  policy.max_scale = 5;
  EXPECT_EQ(NextTarget(policy, {.desired = 9, .ready = 2}, In(Active::kTrue, Seconds(1)), kToday).applied, 5);
  EXPECT_EQ(NextTarget(policy, {.desired = 0, .ready = 2}, In(Active::kTrue, Seconds(1)), kToday).applied, 2);
}

TEST(NextTargetTest, AnUnreachableRevisionHasNoMinimum) {
  Policy policy;
  policy.min_scale = 2;
  policy.initial_scale = 4;
  const TargetFacts facts{.desired = 0, .ready = 2, .reachable = false};
  const TargetState inactive = NextTarget(policy, facts, In(Active::kTrue, Seconds(61), 2), kToday);
  EXPECT_EQ(NextTarget(policy, facts, inactive, kToday).applied, 0);
}

TEST(NextTargetTest, ZeroComesInTwoSteps) {
  const Policy policy;  // stable window 60 s
  const TargetFacts idle{.desired = 0, .ready = 1};
  const TargetState early = NextTarget(policy, idle, In(Active::kTrue, Seconds(59)), kToday);
  EXPECT_EQ(early.applied, 1);
  EXPECT_EQ(early.active, Active::kTrue);
  const TargetState inactive = NextTarget(policy, idle, In(Active::kTrue, Seconds(60)), kToday);
  EXPECT_EQ(inactive.active, Active::kFalse);
  EXPECT_EQ(inactive.applied, 1);
  EXPECT_EQ(NextTarget(policy, idle, inactive, kToday).applied, 0);
}

TEST(NextTargetTest, RetentionKeepsTheLastInstance) {
  Policy policy;
  policy.retention = Seconds(40);
  const TargetFacts idle{.desired = 0, .ready = 1};
  EXPECT_EQ(NextTarget(policy, idle, In(Active::kFalse, Seconds(39)), kToday).applied, 1);
  EXPECT_EQ(NextTarget(policy, idle, In(Active::kFalse, Seconds(40)), kToday).applied, 0);
}

TEST(NextTargetTest, WithoutScaleToZeroOneStays) {
  Policy policy;
  policy.scale_to_zero = false;
  EXPECT_EQ(NextTarget(policy, {.desired = 0, .ready = 1}, In(Active::kTrue, Seconds(600)), kToday).applied, 1);
}

TEST(NextTargetTest, AnActivationIsNotCutShortAndEndsAtItsDeadline) {
  const TargetFacts starting{.desired = 0, .ready = 0, .reachable = true, .progress_deadline = Seconds(100)};
  const TargetState kept = NextTarget({}, starting, In(Active::kActivating, Seconds(130)), kToday);
  EXPECT_EQ(kept.applied, 1);
  EXPECT_EQ(kept.active, Active::kActivating);
  const TargetState given_up = NextTarget({}, starting, In(Active::kActivating, Seconds(131)), kToday);
  EXPECT_EQ(given_up.applied, 0);
  EXPECT_EQ(given_up.active, Active::kTimedOut);
}

TEST(NextTargetTest, ARevisionThatNeverStartsGoesToZeroDespiteItsMinimumAndStaysThere) {
  Policy policy;
  policy.min_scale = 3;
  const TargetFacts crashing{.desired = 0, .ready = 0, .reachable = true, .progress_deadline = Seconds(100)};
  TargetState state = NextTarget(policy, crashing, In(Active::kActivating, Seconds(131), 3), kToday);
  EXPECT_EQ(state.applied, 0);
  state = NextTarget(policy, crashing, state, kToday + Seconds(2));
  EXPECT_EQ(state.applied, 0);
  EXPECT_EQ(state.active, Active::kTimedOut);
  // A request tries it again.
  EXPECT_EQ(NextTarget(policy, {.desired = 1, .ready = 0}, state, kToday + Seconds(4)).active, Active::kActivating);
}

TEST(NextTargetTest, GraceIsWaitedForUnlessTheActivatorWasInThePathAllTheTime) {
  const Policy policy;  // grace 30 s, no retention
  TargetFacts idle{.desired = 0, .ready = 1};
  EXPECT_EQ(NextTarget(policy, idle, In(Active::kFalse, Seconds(1)), kToday).applied, 0);  // it always was
  idle.proxied_for = Seconds(29);  // max(0, 30 - 29) is still to wait
  EXPECT_EQ(NextTarget(policy, idle, In(Active::kFalse, Seconds(29)), kToday).applied, 1);
  idle.proxied_for = Seconds(30);
  EXPECT_EQ(NextTarget(policy, idle, In(Active::kFalse, Seconds(29)), kToday).applied, 0);
  idle.proxied_for = Nanos(0);  // inactive for max(grace, retention): the most conservative rule
  EXPECT_EQ(NextTarget(policy, idle, In(Active::kFalse, Seconds(30)), kToday).applied, 0);
}

TEST(NextTargetTest, RetentionIsNothingToAnUnreachableRevision) {
  Policy policy;
  policy.retention = Seconds(600);
  const TargetFacts idle{.desired = 0, .ready = 1, .reachable = false};
  EXPECT_EQ(NextTarget(policy, idle, In(Active::kFalse, Seconds(1)), kToday).applied, 0);
}

TEST(NextTargetTest, InitialScaleNeverHoldsAnUnreachableRevisionUp) {
  Policy policy;
  policy.initial_scale = 5;
  TargetState state{.active = Active::kActivating, .since = kToday, .initialized = false, .applied = 5};
  const TargetFacts replaced{.desired = std::nullopt, .ready = 2, .reachable = false};
  state = NextTarget(policy, replaced, state, kToday);
  EXPECT_EQ(state.applied, 0);
  // Nothing has failed: another revision took its place before it was ready.
  EXPECT_EQ(state.active, Active::kFalse);
}

TEST(NextTargetTest, AnUnreachableRevisionThatFailedBeforeHasFailed) {
  const TargetFacts facts{.desired = 0, .ready = 0, .reachable = false, .progress_deadline = Seconds(100)};
  EXPECT_EQ(NextTarget({}, facts, In(Active::kActivating, Seconds(131)), kToday).active, Active::kTimedOut);
}

TEST(NextTargetTest, AFloorHoldsACountButIsNoWishOfTheUsers) {
  Policy policy;
  policy.min_scale = 1;
  TargetState state = NextTarget(policy, {.desired = 0, .ready = 1, .floor = 3}, In(Active::kTrue, Seconds(600)), kToday);
  EXPECT_EQ(state.applied, 3);
  EXPECT_EQ(state.active, Active::kTrue);  // one is ready, which is what min-scale asks for
  policy.max_scale = 2;
  EXPECT_EQ(NextTarget(policy, {.desired = 0, .ready = 1, .floor = 3}, state, kToday).applied, 2);
  // Neither an unreachable nor a failed revision is held up by it.
  EXPECT_EQ(NextTarget({}, {.desired = 0, .ready = 0, .reachable = false, .floor = 3}, In(Active::kFalse, Seconds(60)), kToday).applied, 0);
  EXPECT_EQ(NextTarget({}, {.desired = 0, .ready = 0, .floor = 3}, In(Active::kTimedOut, Seconds(60)), kToday).applied, 0);
}

TEST(NextTargetTest, AFloorWakesARevisionAtZero) {
  TargetState state = In(Active::kFalse, Seconds(600), 0);
  state = NextTarget({}, {.desired = 0, .ready = 0, .floor = 1}, state, kToday);
  EXPECT_EQ(state.applied, 1);
  EXPECT_EQ(state.active, Active::kActivating);
}

TEST(NextTargetTest, WithInitialScaleZeroARevisionIsInitialisedAtOnce) {
  Policy policy;
  policy.initial_scale = 0;
  const TargetState born = BirthTarget(policy, false, 0, 0, true, kToday);
  EXPECT_EQ(born.applied, 0);
  EXPECT_EQ(born.active, Active::kFalse);
  EXPECT_TRUE(born.initialized);
  // From then on the minimum is max(0, 1).
  EXPECT_EQ(NextTarget(policy, {.desired = 1, .ready = 0}, born, kToday).active, Active::kActivating);
}

TEST(NextTargetTest, MinScaleGatesActiveForGood) {
  Policy policy;
  policy.min_scale = 4;
  EXPECT_EQ(NextTarget(policy, {.desired = 4, .ready = 3}, In(Active::kTrue, Seconds(9)), kToday).active, Active::kActivating);
  EXPECT_EQ(NextTarget(policy, {.desired = 4, .ready = 4}, In(Active::kActivating, Seconds(9)), kToday).active, Active::kTrue);
}

TEST(NextTargetTest, InitialScaleCountsUntilItWasReachedOnce) {
  Policy policy;
  policy.initial_scale = 3;
  TargetState state{.active = Active::kActivating, .since = kToday, .initialized = false, .applied = 3};
  EXPECT_EQ(NextTarget(policy, {.desired = 1, .ready = 1}, state, kToday).applied, 3);  // max(0, 3)
  state = NextTarget(policy, {.desired = 1, .ready = 3}, state, kToday);
  EXPECT_TRUE(state.initialized);
  EXPECT_EQ(NextTarget(policy, {.desired = 1, .ready = 3}, state, kToday).applied, 1);
}

TEST(NextTargetTest, WithoutScaleToZeroAnActivationHasNoEnd) {
  Policy policy;
  policy.scale_to_zero = false;
  const TargetFacts starting{.desired = 0, .ready = 0};
  EXPECT_EQ(NextTarget(policy, starting, In(Active::kActivating, Seconds(10'000)), kToday).applied, 1);
}

struct ActiveCase {
  std::string name;
  Active before;
  std::optional<int> desired;
  int ready;
  Active want;
};

class ActiveTest : public testing::TestWithParam<ActiveCase> {};

TEST_P(ActiveTest, FollowsTheTable) {
  const ActiveCase& c = GetParam();
  EXPECT_EQ(NextTarget({}, {.desired = c.desired, .ready = c.ready}, In(c.before, Seconds(1), 0), kToday).active, c.want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ActiveTest,
    testing::ValuesIn(std::vector<ActiveCase>{
        {"WantedAndNoneReady", Active::kFalse, 1, 0, Active::kActivating},
        {"WantedAndReady", Active::kActivating, 1, 1, Active::kTrue},
        {"NoOpinionAndNoneReady", Active::kTrue, std::nullopt, 0, Active::kActivating},
        {"NoOpinionStaysInactive", Active::kFalse, std::nullopt, 0, Active::kFalse},
        {"NoOpinionInactiveButReady", Active::kFalse, std::nullopt, 1, Active::kFalse},
        {"ZeroWantedOfAnInactive", Active::kFalse, 0, 0, Active::kFalse},
        {"ZeroWantedWhileActiveForASecond", Active::kTrue, 0, 1, Active::kTrue},     // one stays: not yet a window
        {"ZeroWantedWhileActivating", Active::kActivating, 0, 0, Active::kActivating},  // its outcome is awaited
        {"WantedAndReadyWhileInactive", Active::kFalse, 2, 1, Active::kTrue},
        {"LostItsInstances", Active::kTrue, 1, 0, Active::kActivating},
        {"NoOpinionWhileActivating", Active::kActivating, std::nullopt, 0, Active::kActivating},
        {"NoOpinionAndActive", Active::kTrue, std::nullopt, 1, Active::kTrue},
        {"WantedAfterItTimedOut", Active::kTimedOut, 1, 0, Active::kActivating},
        {"NoOpinionAfterItTimedOut", Active::kTimedOut, std::nullopt, 0, Active::kTimedOut},
        {"NoOpinionAndReady", Active::kActivating, std::nullopt, 1, Active::kTrue},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace updraft::autoscaler
