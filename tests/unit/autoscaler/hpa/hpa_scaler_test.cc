#include "autoscaler/hpa/hpa_scaler.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

constexpr TimePoint kNow{Seconds(100'000)};

// Instances that each use `percent` of what they request.
UsageFacts Using(int count, int64_t percent) {
  return {.current = count,
          .ready = count,
          .usage = std::vector<InstanceUsage>(static_cast<size_t>(count), {.cpu_millis = percent * 10}),
          .cpu_request_millis = 1000};
}

Policy HalfBusy() {
  Policy policy;
  policy.scaler_class = ScalerClass::kHpa;
  policy.metric = Metric::kCpu;
  policy.target = policy.total = 50;
  return policy;
}

TEST(HpaScalerTest, LooksEveryFifteenSeconds) {
  HpaScaler scaler;
  EXPECT_TRUE(scaler.Due(kNow));
  scaler.Decide(HalfBusy(), Using(1, 50), kNow);
  EXPECT_FALSE(scaler.Due(kNow + Seconds(14)));
  EXPECT_TRUE(scaler.Due(kNow + Seconds(15)));
}

TEST(HpaScalerTest, AtMostDoublesButReachesFour) {
  HpaScaler scaler;
  EXPECT_EQ(scaler.Decide(HalfBusy(), Using(1, 1000), kNow), 4);                // max(2 * 1, 4) of 20
  EXPECT_EQ(scaler.Decide(HalfBusy(), Using(4, 1000), kNow + Seconds(15)), 8);  // 2 * 4 of 80
}

TEST(HpaScalerTest, FallsToTheLargestOfFiveMinutes) {
  HpaScaler scaler;
  EXPECT_EQ(scaler.Decide(HalfBusy(), Using(6, 50), kNow), 6);
  EXPECT_EQ(scaler.Decide(HalfBusy(), Using(6, 5), kNow + Seconds(15)), 6);
  EXPECT_EQ(scaler.Decide(HalfBusy(), Using(6, 5), kNow + Seconds(299)), 6);
  EXPECT_EQ(scaler.Decide(HalfBusy(), Using(6, 5), kNow + Seconds(300)), 1);  // ceil(6 * 5 / 50)
}

TEST(HpaScalerTest, TheWindowAnnotationHoldsBothWays) {
  Policy policy = HalfBusy();
  policy.stabilization = Seconds(30);
  HpaScaler scaler;
  EXPECT_EQ(scaler.Decide(policy, Using(2, 50), kNow), 2);
  EXPECT_EQ(scaler.Decide(policy, Using(2, 200), kNow + Seconds(15)), 2);  // the smallest of the window is 2
  EXPECT_EQ(scaler.Decide(policy, Using(2, 200), kNow + Seconds(30)), 6);  // of 8: max(2 + 4, 2 * 2)
  EXPECT_EQ(scaler.Decide(policy, Using(6, 5), kNow + Seconds(45)), 6);    // the largest is 8
  EXPECT_EQ(scaler.Decide(policy, Using(6, 5), kNow + Seconds(61)), 1);
}

TEST(HpaScalerTest, BoundsHold) {
  Policy policy = HalfBusy();
  policy.max_scale = 3;
  HpaScaler scaler;
  EXPECT_EQ(scaler.Decide(policy, Using(2, 500), kNow), 3);
  policy.min_scale = 2;
  EXPECT_EQ(scaler.Decide(policy, Using(1, 50), kNow + Seconds(15)), 2);
  EXPECT_EQ(HpaScaler().Decide(HalfBusy(), {.current = 0}, kNow), 1);  // never zero
}

TEST(HpaScalerTest, WhatCannotBeMeasuredStays) {
  EXPECT_EQ(HpaScaler().Decide(HalfBusy(), {.current = 5, .ready = 5}, kNow), 5);
}

}  // namespace
}  // namespace updraft::autoscaler
