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

TEST(NextTargetTest, AnInitialScaleAboveTheBoundIsReachedFirst) {
  Policy policy;
  policy.initial_scale = 5;
  policy.max_scale = 3;
  TargetState state = BirthTarget(policy, false, 0, 0, true, kToday);
  EXPECT_EQ(state.applied, 5);  // or it could never become Ready
  state = NextTarget(policy, {.desired = 1, .ready = 4}, state, kToday);
  EXPECT_EQ(state.applied, 5);
  EXPECT_EQ(state.active, Active::kActivating);
  state = NextTarget(policy, {.desired = 9, .ready = 5}, state, kToday);
  EXPECT_EQ(state.active, Active::kTrue);
  EXPECT_EQ(NextTarget(policy, {.desired = 9, .ready = 5}, state, kToday).applied, 3);
}

// The rows of Knative 1.23's own table tests (scaler_test.go, kpa_test.go: the same names) that do not speak of its
// ServerlessServices and probes. As there: stable window 5m, grace 60s, progress deadline 121s (and 30 s).
struct KnativeRow {
  std::string name;
  Active before = Active::kTrue;
  Nanos since = Nanos(0);
  int replicas = 1;
  int ready = 1;
  std::optional<int> desired;
  int want = 0;
  Active want_active = Active::kTrue;
  void (*mutate)(Policy&, TargetFacts&) = nullptr;
  bool initialized = true;
};

constexpr Nanos kKnativeWindow = Seconds(300);
constexpr Nanos kKnativeGrace = Seconds(60);
constexpr Nanos kKnativeActivation = Seconds(121 + 30);
constexpr int kKnativeScale = 11;

class KnativeRowTest : public testing::TestWithParam<KnativeRow> {};

TEST_P(KnativeRowTest, IsFollowed) {
  const KnativeRow& row = GetParam();
  Policy policy;
  policy.stable_window = kKnativeWindow;
  policy.grace = kKnativeGrace;
  TargetFacts facts{.desired = row.desired, .ready = row.ready, .progress_deadline = Seconds(121), .proxied_for = Nanos(0)};
  if (row.mutate != nullptr) row.mutate(policy, facts);
  const TargetState before{
      .active = row.before, .since = kToday - row.since, .initialized = row.initialized, .applied = row.replicas};
  const TargetState after = NextTarget(policy, facts, before, kToday);
  EXPECT_EQ(after.applied, row.want);
  EXPECT_EQ(after.active, row.want_active);
}

constexpr auto kOldMinScale = [](Policy& p, TargetFacts&) { p.min_scale = kKnativeScale; };
constexpr auto kMinScaleTwo = [](Policy& p, TargetFacts&) { p.min_scale = 2; };

INSTANTIATE_TEST_SUITE_P(
    Scaler, KnativeRowTest,
    testing::ValuesIn(std::vector<KnativeRow>{
        {"waits_to_scale_to_zero_just_before_idle_period", Active::kTrue, kKnativeWindow - Seconds(1), 1, 1, 0, 1, Active::kTrue},
        {"just_before_idle_period_custom_PA_window", Active::kTrue, Seconds(44), 1, 1, 0, 1, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.stable_window = Seconds(45); }},
        {"custom_PA_window_check_for_standard_window", Active::kTrue, kKnativeWindow, 1, 1, 0, 1, Active::kFalse,
         [](Policy& p, TargetFacts&) { p.stable_window = Seconds(45); }},
        {"scale_to_1_waiting_for_idle_expires", Active::kTrue, kKnativeWindow - Seconds(1), 10, 10, 0, 1, Active::kTrue},
        {"waits_to_scale_to_zero_after_idle_period", Active::kTrue, kKnativeWindow, 1, 1, 0, 1, Active::kFalse},
        {"after_idle_period_custom_PA_window", Active::kTrue, Seconds(45), 1, 1, 0, 1, Active::kFalse,
         [](Policy& p, TargetFacts&) { p.stable_window = Seconds(45); }},
        {"can_scale_to_zero_after_grace_period_but_0_PA_retention", Active::kFalse, kKnativeGrace, 1, 1, 0, 0, Active::kFalse},
        {"cant_scale_to_zero_before_last_pod_retention", Active::kFalse, kKnativeGrace, 1, 1, 0, 1, Active::kFalse,
         [](Policy& p, TargetFacts&) { p.retention = 2 * kKnativeGrace; }},
        {"scale_to_zero_after_grace_period_and_after_last_pod_retention", Active::kFalse, kKnativeGrace, 1, 1, 0, 0, Active::kFalse,
         [](Policy& p, TargetFacts&) { p.retention = kKnativeGrace; }},
        {"waits_just_before_grace_period", Active::kFalse, kKnativeGrace - Seconds(1), 1, 1, 0, 1, Active::kFalse},
        {"just_before_grace_period_sks_short", Active::kFalse, kKnativeGrace - Seconds(1), 1, 1, 0, 1, Active::kFalse,
         [](Policy&, TargetFacts& f) { f.proxied_for = kKnativeGrace - Seconds(1); }},
        {"just_before_grace_period_sks_in_proxy_long_and_last_pod_timeout_positive", Active::kFalse, kKnativeGrace - Seconds(1), 1, 1, 0, 0,
         Active::kFalse, [](Policy& p, TargetFacts& f) { p.retention = Seconds(42); f.proxied_for = kKnativeGrace; }},
        {"just_before_grace_period_sks_in_proxy_long", Active::kFalse, kKnativeGrace - Seconds(1), 1, 1, 0, 0, Active::kFalse,
         [](Policy&, TargetFacts& f) { f.proxied_for = kKnativeGrace; }},
        {"waits_while_activating_until_after_deadline_exceeded", Active::kActivating, kKnativeActivation / 2, 1, 0, 0, 1, Active::kActivating},
        {"scale_to_zero_while_activating_after_deadline_exceeded", Active::kActivating, kKnativeActivation + Seconds(1), 1, 0, 0, 0,
         Active::kTimedOut},
        {"scale_to_zero_while_activating_after_revision_deadline_exceeded", Active::kActivating, Seconds(5 + 30 + 1), 1, 0, 0, 0,
         Active::kTimedOut, [](Policy&, TargetFacts& f) { f.progress_deadline = Seconds(5); }},
        {"scale_down_to_minScale_before_grace_period", Active::kFalse, kKnativeGrace - Seconds(1), 10, 10, 0, 2, Active::kTrue, kMinScaleTwo},
        {"scale_down_to_minScale_after_grace_period", Active::kFalse, kKnativeGrace, 10, 10, 0, 2, Active::kTrue, kMinScaleTwo},
        {"scale_to_zero_ignore_last_pod_retention_if_revision_is_unreachable", Active::kFalse, kKnativeGrace, 1, 1, 0, 0, Active::kFalse,
         [](Policy& p, TargetFacts& f) { p.retention = 10 * kKnativeGrace; f.reachable = false; }},
        {"cant_scale_to_zero_if_revision_is_unreachable_but_before_deadline", Active::kFalse, kKnativeGrace - Seconds(1), 1, 1, 0, 1,
         Active::kFalse, [](Policy& p, TargetFacts& f) { p.retention = 10 * kKnativeGrace; f.reachable = false; }},
        {"ignore_minScale_if_unreachable", Active::kFalse, kKnativeGrace, 10, 10, 0, 0, Active::kFalse,
         [](Policy& p, TargetFacts& f) { p.min_scale = 2; f.reachable = false; }},
        {"scales_up", Active::kActivating, Nanos(0), 1, 1, 10, 10, Active::kTrue},
        {"scales_up_to_maxScale", Active::kActivating, Nanos(0), 1, 1, 10, 8, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.max_scale = 8; }},
        {"scale_up_inactive_revision", Active::kFalse, kKnativeGrace / 2, 1, 1, 10, 10, Active::kTrue},
        {"does_not_scale_up_from_zero_with_no_metrics", Active::kFalse, Nanos(0), 0, 0, std::nullopt, 0, Active::kFalse},
        {"scales_up_from_zero_to_desired_one", Active::kActivating, Nanos(0), 0, 0, 1, 1, Active::kActivating},
        {"scales_up_from_zero_to_desired_high_scale", Active::kActivating, Nanos(0), 0, 0, 10, 10, Active::kActivating},
        {"negative_scale_does_not_scale", Active::kTrue, Nanos(0), 12, 12, std::nullopt, 12, Active::kTrue},
        {"initial_scale_attained_but_now_time_to_scale_down", Active::kTrue, Seconds(120), 2, 2, 0, 1, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.initial_scale = 2; }},
        {"havent_scaled_to_initial_scale", Active::kActivating, Nanos(0), 0, 0, 1, 2, Active::kActivating,
         [](Policy& p, TargetFacts&) { p.initial_scale = 2; }, false},
        {"initial_scale_reached_for_the_first_time", Active::kActivating, Nanos(0), 5, 5, 1, 5, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.initial_scale = 5; }, false},
        {"reaching_initial_scale_zero", Active::kFalse, Nanos(0), 0, 0, 0, 0, Active::kFalse,
         [](Policy& p, TargetFacts&) { p.initial_scale = 0; }, false},
        {"unreachable_revision_with_initialScale_above_1_can_scale_to_0", Active::kTrue, Seconds(120), 2, 2, 0, 1, Active::kTrue,
         [](Policy& p, TargetFacts& f) { p.initial_scale = 2; f.reachable = false; }, false},
        {"EnableScaleToZero_false_and_minScale_0", Active::kTrue, Nanos(0), 10, 10, 0, 1, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.scale_to_zero = false; }},
        {"EnableScaleToZero_false_and_minScale_2", Active::kTrue, Nanos(0), 10, 10, 0, 2, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.scale_to_zero = false; p.min_scale = 2; }},
        {"EnableScaleToZero_false_and_no_desired", Active::kTrue, Nanos(0), 10, 10, std::nullopt, 10, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.scale_to_zero = false; }},
    }),
    [](const auto& test) { return test.param.name; });

// Knative's "activation failure" has an instance that is ready at the deadline, and fails all the same: not here.
INSTANTIATE_TEST_SUITE_P(
    Reconciler, KnativeRowTest,
    testing::ValuesIn(std::vector<KnativeRow>{
        {"steady_state", Active::kTrue, Nanos(0), kKnativeScale, 1, kKnativeScale, kKnativeScale, Active::kTrue},
        {"scale_up_deployment", Active::kTrue, Nanos(0), 1, 1, kKnativeScale, kKnativeScale, Active::kTrue},
        {"pa_activates", Active::kFalse, Nanos(0), kKnativeScale, 0, kKnativeScale, kKnativeScale, Active::kActivating},
        {"not_ready_without_minScale_endpoints_when_reachable", Active::kActivating, Nanos(0), kKnativeScale, 1, kKnativeScale, kKnativeScale,
         Active::kActivating, kMinScaleTwo, false},
        {"ready_without_minScale_endpoints_when_unreachable", Active::kActivating, Nanos(0), kKnativeScale, 1, kKnativeScale, kKnativeScale,
         Active::kTrue, [](Policy& p, TargetFacts& f) { p.min_scale = 2; f.reachable = false; }, false},
        {"ready_with_minScale_endpoints_when_reachable", Active::kActivating, Nanos(0), kKnativeScale, 2, kKnativeScale, kKnativeScale,
         Active::kTrue, kMinScaleTwo, false},
        {"steady_not_serving", Active::kFalse, Seconds(1800), 0, 0, 0, 0, Active::kFalse},
        {"steady_not_serving_scale_to_zero", Active::kFalse, Seconds(1800), 1, 0, 0, 0, Active::kFalse},
        {"from_serving_to_proxy", Active::kTrue, Seconds(1800), 1, 1, 0, 1, Active::kFalse},
        {"scaling_to_0_but_not_stable_for_long_enough_so_no_op", Active::kTrue, Nanos(0), 1, 1, 0, 1, Active::kTrue},
        {"want_unknown_underscaled_PA_inactive", Active::kFalse, Nanos(0), kKnativeScale - 1, kKnativeScale - 1, std::nullopt,
         kKnativeScale - 1, Active::kFalse, kOldMinScale},
        {"want_1_underscaled_PA_inactive", Active::kFalse, Nanos(0), kKnativeScale - 1, kKnativeScale - 1, 1, kKnativeScale,
         Active::kActivating, kOldMinScale},
        {"underscaled_PA_activating", Active::kActivating, Nanos(0), kKnativeScale - 1, kKnativeScale - 1, 2, kKnativeScale,
         Active::kActivating, kOldMinScale, false},
        {"underscaled_PA_active", Active::kTrue, Nanos(0), kKnativeScale - 1, kKnativeScale - 1, kKnativeScale, kKnativeScale,
         Active::kActivating, kOldMinScale},
        {"overscaled_PA_inactive", Active::kFalse, Nanos(0), kKnativeScale + 1, kKnativeScale + 1, 0, kKnativeScale, Active::kTrue,
         kOldMinScale},
        {"overscaled_PA_activating", Active::kActivating, Nanos(0), kKnativeScale + 1, kKnativeScale + 1, 1, kKnativeScale, Active::kTrue,
         kOldMinScale, false},
        {"over_maxScale_for_real_PA_active", Active::kTrue, Nanos(0), kKnativeScale + 1, kKnativeScale + 1, kKnativeScale + 1,
         kKnativeScale + 1, Active::kTrue, kOldMinScale},
        {"over_maxScale_need_to_scale_down_PA_active", Active::kTrue, Nanos(0), kKnativeScale + 1, kKnativeScale + 1, 1, kKnativeScale,
         Active::kTrue, kOldMinScale},
        {"scaled_to_0_no_scale_data", Active::kFalse, Nanos(0), kKnativeScale, 0, std::nullopt, kKnativeScale, Active::kFalse},
        {"initial_scale_above_minScale_have_not_reached_initial_scale", Active::kActivating, Nanos(0), kKnativeScale, kKnativeScale,
         kKnativeScale, 20, Active::kActivating, [](Policy& p, TargetFacts&) { p.min_scale = kKnativeScale; p.initial_scale = 20; }, false},
        {"initial_scale_reached_mark_PA_as_active", Active::kActivating, Nanos(0), kKnativeScale, 20, kKnativeScale, 20, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.initial_scale = 20; }, false},
        {"initial_scale_zero_scale_to_zero", Active::kActivating, Nanos(0), 0, 0, std::nullopt, 0, Active::kFalse,
         [](Policy& p, TargetFacts&) { p.initial_scale = 0; }, false},
        {"initial_scale_zero_stay_at_zero", Active::kActivating, Nanos(0), 0, 0, std::nullopt, 0, Active::kActivating,
         [](Policy& p, TargetFacts&) { p.initial_scale = 0; }},
        {"initial_scale_zero_scale_to_greater_than_zero", Active::kActivating, Nanos(0), 2, 2, 2, 2, Active::kTrue,
         [](Policy& p, TargetFacts&) { p.initial_scale = 0; }},
    }),
    [](const auto& test) { return test.param.name; });

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
