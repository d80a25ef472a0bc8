#include "autoscaler/floor/idle_histogram.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

using std::chrono::minutes;

IdleHistogram Of(const std::vector<std::pair<Nanos, int>>& samples) {
  IdleHistogram histogram;
  for (const auto& [idle, count] : samples) {
    for (int i = 0; i < count; ++i) histogram.Record(idle);
  }
  return histogram;
}

TEST(IdleHistogramTest, ARegularCallerIsExpectedAroundItsTime) {
  // Bin 30 alone: head 30 min less a tenth, tail 31 min and a tenth.
  const auto prediction = Of({{minutes(30), 10}}).Predict();
  ASSERT_TRUE(prediction.has_value());
  EXPECT_EQ(prediction->from, minutes(27));
  EXPECT_EQ(prediction->until, Seconds(31 * 66));  // 31 min * 1.1 = 34.1 min
}

TEST(IdleHistogramTest, TooFewSamplesSayNothing) {
  EXPECT_FALSE(Of({}).Predict().has_value());
  EXPECT_FALSE(Of({{minutes(30), 9}}).Predict().has_value());
}

TEST(IdleHistogramTest, PercentilesAreTheFifthAndTheNinetyNinth) {
  // 100 samples: 5 at minute 2, 94 at minute 10, 1 at minute 100. Rank 5 is minute 10, rank 99 minute 100.
  const auto prediction = Of({{minutes(2), 5}, {minutes(10), 94}, {minutes(100), 1}}).Predict();
  ASSERT_TRUE(prediction.has_value());
  EXPECT_EQ(prediction->from, minutes(9));
  EXPECT_EQ(prediction->until, Seconds(101 * 66));
  // One more at minute 2 and rank 5 is among them.
  const auto earlier = Of({{minutes(2), 6}, {minutes(10), 93}, {minutes(100), 1}}).Predict();
  EXPECT_EQ(earlier->from, Seconds(108));
}

TEST(IdleHistogramTest, MostlyBeyondItsRangeItSaysNothing) {
  EXPECT_TRUE(Of({{minutes(30), 10}, {minutes(240), 10}}).Predict().has_value());   // half of them: just so
  EXPECT_FALSE(Of({{minutes(30), 10}, {minutes(240), 11}}).Predict().has_value());
}

TEST(IdleHistogramTest, SpreadEvenlyItSaysNothing) {
  IdleHistogram even;
  for (int minute = 0; minute < 240; ++minute) even.Record(minutes(minute));
  EXPECT_FALSE(even.Predict().has_value());  // no variation among the bins
  // Fifteen bins of sixteen each, 225 empty ones: mean 1, deviation sqrt((15 * 15^2 + 225) / 240) = 3.87.
  IdleHistogram narrow;
  for (int i = 0; i < 240; ++i) narrow.Record(minutes(20 + i % 15));
  EXPECT_TRUE(narrow.Predict().has_value());
}

TEST(IdleHistogramTest, AFewScatteredSamplesAreNoHabit) {
  // Thirty samples, each in a bin of its own: variation sqrt(240 / 30 - 1) = 2.6, by chance it is 2.8.
  IdleHistogram scattered;
  for (int i = 0; i < 30; ++i) scattered.Record(minutes(8 * i));
  EXPECT_FALSE(scattered.Predict().has_value());
  // Thirty in ten bins: sqrt(240 / 10 - 1) = 4.8, at least 1.25 * 2.8 = 3.5.
  IdleHistogram gathered;
  for (int i = 0; i < 30; ++i) gathered.Record(minutes(40 + i % 10));
  EXPECT_TRUE(gathered.Predict().has_value());
}

TEST(IdleHistogramTest, NewHabitsReplaceOldOnes) {
  IdleHistogram histogram;
  for (int i = 0; i < 999; ++i) histogram.Record(minutes(60));
  for (int i = 0; i < 12'000; ++i) histogram.Record(minutes(10));
  EXPECT_LT(histogram.samples(), 1000u);
  EXPECT_EQ(histogram.Predict()->until, Seconds(11 * 66));
}

}  // namespace
}  // namespace updraft::autoscaler
