#include "activator/stats/response_counter.h"

#include <gtest/gtest.h>

namespace updraft::activator {
namespace {

TEST(ResponseCounterTest, CountsByClassAndBucket) {
  ResponseCounter counter;
  counter.Add({.status = 200, .latency = Millis(1)});   // le 0.001
  counter.Add({.status = 204, .latency = Millis(2)});   // le 0.0025
  counter.Add({.status = 503, .latency = Seconds(20)});  // +Inf
  counter.Add({.status = 0, .latency = Nanos(0)});
  counter.Add({.status = 999, .latency = Nanos(0)});
  ResponseTotals totals;
  counter.AddTo(totals);
  EXPECT_EQ(totals.classes[2].count(), 2u);
  EXPECT_EQ(totals.classes[2].buckets[0], 1u);
  EXPECT_EQ(totals.classes[2].buckets[1], 1u);
  EXPECT_NEAR(totals.classes[2].sum, 0.003, 1e-9);
  EXPECT_EQ(totals.classes[5].buckets.back(), 1u);
  EXPECT_EQ(totals.classes[0].count(), 2u);
  EXPECT_EQ(totals.classes[4].count(), 0u);
}

}  // namespace
}  // namespace updraft::activator
