#include "autoscaler/kpa/decider.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

constexpr TimePoint kDecidedAt{Seconds(100'000)};

// A round target: 10 requests in flight per instance.
Policy Ten() {
  Policy policy;
  policy.total = 10;
  policy.target = 10;
  return policy;
}

struct DeciderCase {
  std::string name;
  Policy policy;
  Observation observation;
  int want;
};

class DecideTest : public testing::TestWithParam<DeciderCase> {};

TEST_P(DecideTest, FromCalmMemory) {
  const DeciderCase& c = GetParam();
  Memory memory;
  EXPECT_EQ(Decide(c.policy, c.observation, memory, kDecidedAt).desired, c.want);
}

Policy With(const std::function<void(Policy&)>& change) {
  Policy policy = Ten();
  change(policy);
  return policy;
}

INSTANTIATE_TEST_SUITE_P(
    Table, DecideTest,
    testing::ValuesIn(std::vector<DeciderCase>{
        {"IdleWithOneReadyGoesToZero", Ten(), {.stable = 0, .panic = 0, .ready = 1}, 0},
        {"PartOfAnInstanceIsAnInstance", Ten(), {.stable = 21, .panic = 21, .ready = 3}, 3},
        {"ShrinksAtMostByTheRate", Ten(), {.stable = 1, .panic = 1, .ready = 9}, 4},       // floor(9 / 2)
        {"UnreachableShrinksAtOnce", Ten(), {.stable = 0, .panic = 0, .ready = 9, .reachable = false}, 0},
        {"GrowsAtMostByTheRate", With([](Policy& p) { p.max_scale_up_rate = 2; p.panic_threshold = 1000; }),
         {.stable = 1000, .panic = 0, .ready = 3}, 6},
        {"ZeroReadyCountsAsOneForTheRates", With([](Policy& p) { p.max_scale_up_rate = 10; }),
         {.stable = 1000, .panic = 0, .ready = 0}, 10},
        {"ActivationScaleRaisesTheFirstStep", With([](Policy& p) { p.activation_scale = 5; }),
         {.stable = 1, .panic = 0, .ready = 0}, 5},
        {"ActivationScaleDoesNotHoldZeroUp", With([](Policy& p) { p.activation_scale = 5; }),
         {.stable = 0, .panic = 0, .ready = 1}, 0},
        {"PanicTakesTheLarger", Ten(), {.stable = 10, .panic = 40, .ready = 2}, 4},  // 4 / 2 >= 2
        // ceil(1.1 * 2) = 3: a rate that would not add an instance adds one.
        {"ASmallRateGrowsByOne", With([](Policy& p) { p.max_scale_up_rate = 1.1; p.panic_threshold = 1000; }),
         {.stable = 30, .panic = 0, .ready = 2}, 3},
        // floor(1 / 2) = 0, floor(3 / 1.5) = 2, floor(10 / 3) = 3.
        {"OneMayFallToZero", Ten(), {.stable = 0, .panic = 0, .ready = 1}, 0},
        {"ThreeShrinkByHalfAgain", With([](Policy& p) { p.max_scale_down_rate = 1.5; }),
         {.stable = 1, .panic = 1, .ready = 3}, 2},
        {"TenShrinkToAThird", With([](Policy& p) { p.max_scale_down_rate = 3; }), {.stable = 1, .panic = 1, .ready = 10}, 3},
        // A fraction above a whole count is one more: ceil(30.000001 / 10) = 4, ceil(30 / 10) = 3.
        {"ExactlyFullIsEnough", Ten(), {.stable = 30, .panic = 30, .ready = 3}, 3},
        {"AMillionthMoreIsOneMore", Ten(), {.stable = 30.000001, .panic = 0, .ready = 3}, 4},
        // Panic: ceil(60 / 10) = 6, 6 / 3 >= 2; bounded by ceil(1.5 * 3) = 5.
        {"PanicKeepsTheRate", With([](Policy& p) { p.max_scale_up_rate = 1.5; }), {.stable = 0, .panic = 60, .ready = 3}, 5},
        // The threshold compares what is wanted, unbounded, with what is ready (at least 1): 20 / 1 >= 2.
        {"FromZeroALargeQueueIsPanic", Ten(), {.stable = 0, .panic = 200, .ready = 0}, 20},
        // 11 / 10 = 1.1 >= 1.1 in doubles.
        {"TheThresholdItselfIsOver", With([](Policy& p) { p.panic_threshold = 1.1; }), {.stable = 10, .panic = 110, .ready = 10}, 11},
        // max(S, activation) = 5 although the rate allows 1 * 2 = 2.
        {"ActivationScaleIsNotBoundByTheRate",
         With([](Policy& p) { p.activation_scale = 5; p.max_scale_up_rate = 2; p.panic_threshold = 1000; }),
         {.stable = 1, .panic = 0, .ready = 1}, 5},
        // It holds whenever something is asked for, not only from zero: max(S, 5), S = max(1, floor(8 / 2)) = 4.
        {"ActivationScaleHoldsWhileInUse", With([](Policy& p) { p.activation_scale = 5; }), {.stable = 1, .panic = 1, .ready = 8}, 5},
        {"ActivationScaleOfOneIsOff", With([](Policy& p) { p.activation_scale = 1; }), {.stable = 1, .panic = 0, .ready = 0}, 1},
        {"UnreachableWithLoadIsServed", Ten(), {.stable = 25, .panic = 25, .ready = 9, .reachable = false}, 3},
        {"BelowTheThresholdPanicIsIgnored", Ten(), {.stable = 10, .panic = 30, .ready = 2}, 1},  // 3 / 2 < 2
    }),
    [](const auto& test) { return test.param.name; });

TEST(DecideTest, PanicHoldsThePeakUntilAStableWindowHasPassed) {
  const Policy policy = Ten();
  Memory memory;
  EXPECT_EQ(Decide(policy, {.stable = 10, .panic = 60, .ready = 2}, memory, kDecidedAt).desired, 6);
  const Observation calm{.stable = 10, .panic = 10, .ready = 6};
  EXPECT_EQ(Decide(policy, calm, memory, kDecidedAt + Seconds(60)).desired, 6);  // not yet: strictly later
  const Verdict released = Decide(policy, calm, memory, kDecidedAt + Seconds(60) + Nanos(1));
  EXPECT_FALSE(released.panic);
  EXPECT_EQ(released.desired, 3);  // floor(6 / 2), not a cliff
  EXPECT_EQ(memory.panic_peak, 0);
}

TEST(DecideTest, AnotherSurgeExtendsPanic) {
  const Policy policy = Ten();
  Memory memory;
  Decide(policy, {.stable = 10, .panic = 60, .ready = 2}, memory, kDecidedAt);
  Decide(policy, {.stable = 10, .panic = 60, .ready = 2}, memory, kDecidedAt + Seconds(50));
  EXPECT_TRUE(Decide(policy, {.stable = 10, .panic = 10, .ready = 6}, memory, kDecidedAt + Seconds(100)).panic);
}

TEST(DecideTest, ARestartedAutoscalerNeverScalesDownBlindly) {
  const Policy policy = Ten();
  Memory memory = BirthMemory(policy, 7, kDecidedAt);
  const Verdict verdict = Decide(policy, {.stable = 0, .panic = 0, .ready = 7}, memory, kDecidedAt + Seconds(2));
  EXPECT_TRUE(verdict.panic);
  EXPECT_EQ(verdict.desired, 7);
}

TEST(DecideTest, OneReadyInstanceIsNoPanicAtBirth) {
  Memory memory = BirthMemory(Ten(), 1, kDecidedAt);
  EXPECT_FALSE(Decide(Ten(), {.stable = 0, .panic = 0, .ready = 1}, memory, kDecidedAt).panic);
}

TEST(DecideTest, ScaleDownDelayHoldsTheMaximum) {
  Policy policy = Ten();
  policy.scale_down_delay = Seconds(10);
  policy.panic_threshold = 1000;
  Memory memory = BirthMemory(policy, 1, kDecidedAt);
  EXPECT_EQ(Decide(policy, {.stable = 40, .panic = 0, .ready = 4}, memory, kDecidedAt).desired, 4);
  EXPECT_EQ(Decide(policy, {.stable = 20, .panic = 0, .ready = 4}, memory, kDecidedAt + Seconds(8)).desired, 4);
  EXPECT_EQ(Decide(policy, {.stable = 20, .panic = 0, .ready = 4}, memory, kDecidedAt + Seconds(10)).desired, 2);
}

// Two calls after each other, of which the second is judged: what the first one leaves behind.
TEST(DecideTest, WhileUnreachableTheDelayIsNotKept) {
  Policy policy = Ten();
  policy.scale_down_delay = Seconds(60);
  Memory memory = BirthMemory(policy, 1, kDecidedAt);
  Decide(policy, {.stable = 40, .panic = 0, .ready = 4}, memory, kDecidedAt);
  const Observation idle{.stable = 0, .panic = 0, .ready = 4, .reachable = false};
  EXPECT_EQ(Decide(policy, idle, memory, kDecidedAt + Seconds(2)).desired, 0);
}

TEST(DecideTest, ADelayThatWasNotThereAtBirthStaysAway) {
  Policy policy = Ten();
  Memory memory = BirthMemory(policy, 1, kDecidedAt);
  policy.scale_down_delay = Seconds(60);
  Decide(policy, {.stable = 40, .panic = 0, .ready = 4}, memory, kDecidedAt);
  EXPECT_EQ(Decide(policy, {.stable = 20, .panic = 0, .ready = 4}, memory, kDecidedAt + Seconds(2)).desired, 2);
}

TEST(DecideTest, TwoAnswersInOneSlotMayGoDownWithoutADelay) {
  const Policy policy = Ten();
  Memory memory = BirthMemory(policy, 1, kDecidedAt);
  EXPECT_EQ(Decide(policy, {.stable = 40, .panic = 0, .ready = 4}, memory, kDecidedAt).desired, 4);
  EXPECT_EQ(Decide(policy, {.stable = 20, .panic = 0, .ready = 4}, memory, kDecidedAt + Millis(500)).desired, 2);
}

TEST(DecideTest, BirthWithOneReadyRemembersItAsThePeak) {
  // Not in panic; but in the first panic that comes the count is at least the one of birth: max(1, ...).
  Memory memory = BirthMemory(Ten(), 1, kDecidedAt);
  EXPECT_EQ(memory.panic_peak, 1);
  EXPECT_EQ(Decide(Ten(), {.stable = 0, .panic = 20, .ready = 1}, memory, kDecidedAt).desired, 2);  // 2 / 1 >= 2
}

TEST(DecideTest, PanicEndsAWindowAfterBirth) {
  Memory memory = BirthMemory(Ten(), 6, kDecidedAt);
  const Observation idle{.stable = 0, .panic = 0, .ready = 6};
  EXPECT_TRUE(Decide(Ten(), idle, memory, kDecidedAt + Seconds(60)).panic);  // 60 + 60 < 60 is false
  const Verdict after = Decide(Ten(), idle, memory, kDecidedAt + Seconds(62));
  EXPECT_FALSE(after.panic);
  EXPECT_EQ(after.desired, 3);  // floor(6 / 2)
}

TEST(DecideTest, TheStableCountMayBeTheLargerInPanic) {
  Memory memory;
  // ceil(70 / 10) = 7 stable, ceil(40 / 10) = 4 panic, 4 / 2 >= 2.
  const Verdict verdict = Decide(Ten(), {.stable = 70, .panic = 40, .ready = 2}, memory, kDecidedAt);
  EXPECT_TRUE(verdict.panic);
  EXPECT_EQ(verdict.desired, 7);
}

TEST(DecideTest, WhatIsTooLargeToCountIsTheLargestCount) {
  Policy policy = Ten();
  policy.max_scale_up_rate = 1e12;
  Memory memory;
  const Verdict verdict = Decide(policy, {.stable = 1e15, .panic = 1e15, .ready = 1}, memory, kDecidedAt);
  EXPECT_EQ(verdict.desired, 2'147'483'647);
  EXPECT_EQ(verdict.excess_burst_capacity, -2'147'483'647);
}

struct BurstCase {
  double capacity;
  int ready;
  double panic;
  double want;
};

TEST(DecideTest, ExcessBurstCapacity) {
  for (const BurstCase& c : std::vector<BurstCase>{{0, 5, 10, 0}, {-1, 5, 10, -1}, {211, 0, 0, -211},
                                                   {211, 30, 12.5, 76},    // 300 - 211 - 12.5 = 76.5
                                                   {211, 20, 0.5, -12},
                                                   {211, 21, 0, -1},         // 210 - 211
                                                   {210, 21, 0, 0},          // 210 - 210: not negative
                                                   {200, 21, 10.000001, -1},  // 210 - 200 - 10.000001
                                                   {0.5, 1, 9, 0},           // 10 - 0.5 - 9 = 0.5
                                                   {70, 3, 400, -440}}) {  // 200 - 211 - 0.5 = -11.5
    Policy policy = Ten();
    policy.target_burst_capacity = c.capacity;
    Memory memory;
    EXPECT_EQ(Decide(policy, {.stable = 0, .panic = c.panic, .ready = c.ready}, memory, kDecidedAt).excess_burst_capacity, c.want);
  }
}

}  // namespace
}  // namespace updraft::autoscaler
