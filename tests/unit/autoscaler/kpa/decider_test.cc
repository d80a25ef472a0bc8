#include "autoscaler/kpa/decider.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

constexpr TimePoint kNow{Seconds(100'000)};

// A round target: 10 requests in flight per instance.
Policy Ten() {
  Policy policy;
  policy.total = 10;
  policy.target = 10;
  return policy;
}

struct Case {
  std::string name;
  Policy policy;
  Observation observation;
  int want;
};

class DecideTest : public testing::TestWithParam<Case> {};

TEST_P(DecideTest, FromCalmMemory) {
  const Case& c = GetParam();
  Memory memory;
  EXPECT_EQ(Decide(c.policy, c.observation, memory, kNow).desired, c.want);
}

Policy With(const std::function<void(Policy&)>& change) {
  Policy policy = Ten();
  change(policy);
  return policy;
}

INSTANTIATE_TEST_SUITE_P(
    Table, DecideTest,
    testing::ValuesIn(std::vector<Case>{
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
        {"BelowTheThresholdPanicIsIgnored", Ten(), {.stable = 10, .panic = 30, .ready = 2}, 1},  // 3 / 2 < 2
    }),
    [](const auto& test) { return test.param.name; });

TEST(DecideTest, PanicHoldsThePeakUntilAStableWindowHasPassed) {
  const Policy policy = Ten();
  Memory memory;
  EXPECT_EQ(Decide(policy, {.stable = 10, .panic = 60, .ready = 2}, memory, kNow).desired, 6);
  const Observation calm{.stable = 10, .panic = 10, .ready = 6};
  EXPECT_EQ(Decide(policy, calm, memory, kNow + Seconds(60)).desired, 6);  // not yet: strictly later
  const Verdict released = Decide(policy, calm, memory, kNow + Seconds(60) + Nanos(1));
  EXPECT_FALSE(released.panic);
  EXPECT_EQ(released.desired, 3);  // floor(6 / 2), not a cliff
  EXPECT_EQ(memory.panic_peak, 0);
}

TEST(DecideTest, AnotherSurgeExtendsPanic) {
  const Policy policy = Ten();
  Memory memory;
  Decide(policy, {.stable = 10, .panic = 60, .ready = 2}, memory, kNow);
  Decide(policy, {.stable = 10, .panic = 60, .ready = 2}, memory, kNow + Seconds(50));
  EXPECT_TRUE(Decide(policy, {.stable = 10, .panic = 10, .ready = 6}, memory, kNow + Seconds(100)).panic);
}

TEST(DecideTest, ARestartedAutoscalerNeverScalesDownBlindly) {
  const Policy policy = Ten();
  Memory memory = BirthMemory(policy, 7, kNow);
  const Verdict verdict = Decide(policy, {.stable = 0, .panic = 0, .ready = 7}, memory, kNow + Seconds(2));
  EXPECT_TRUE(verdict.panic);
  EXPECT_EQ(verdict.desired, 7);
}

TEST(DecideTest, OneReadyInstanceIsNoPanicAtBirth) {
  Memory memory = BirthMemory(Ten(), 1, kNow);
  EXPECT_FALSE(Decide(Ten(), {.stable = 0, .panic = 0, .ready = 1}, memory, kNow).panic);
}

TEST(DecideTest, ScaleDownDelayHoldsTheMaximum) {
  Policy policy = Ten();
  policy.scale_down_delay = Seconds(10);
  policy.panic_threshold = 1000;
  Memory memory = BirthMemory(policy, 1, kNow);
  EXPECT_EQ(Decide(policy, {.stable = 40, .panic = 0, .ready = 4}, memory, kNow).desired, 4);
  EXPECT_EQ(Decide(policy, {.stable = 20, .panic = 0, .ready = 4}, memory, kNow + Seconds(8)).desired, 4);
  EXPECT_EQ(Decide(policy, {.stable = 20, .panic = 0, .ready = 4}, memory, kNow + Seconds(10)).desired, 2);
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
                                                   {211, 20, 0.5, -12}}) {  // 200 - 211 - 0.5 = -11.5
    Policy policy = Ten();
    policy.target_burst_capacity = c.capacity;
    Memory memory;
    EXPECT_EQ(Decide(policy, {.stable = 0, .panic = c.panic, .ready = c.ready}, memory, kNow).excess_burst_capacity, c.want);
  }
}

}  // namespace
}  // namespace updraft::autoscaler
