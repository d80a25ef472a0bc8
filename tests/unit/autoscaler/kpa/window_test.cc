#include "autoscaler/kpa/window.h"

#include <gtest/gtest.h>

#include <cmath>

namespace updraft::autoscaler {
namespace {

TimePoint At(double seconds) { return TimePoint(Seconds(100'000)) + Nanos(static_cast<int64_t>(seconds * 1e9)); }

TEST(WindowTest, IsEmptyBeforeTheFirstValue) {
  const Window window(Seconds(6));
  EXPECT_TRUE(window.IsEmpty(At(0)));
  EXPECT_EQ(window.Average(At(0)), 0);
}

TEST(WindowTest, AYoungWindowAveragesOverItsLife) {
  Window window(Seconds(60));
  window.Record(At(0), 4);
  window.Record(At(1), 8);
  EXPECT_DOUBLE_EQ(window.Average(At(1)), 6);  // two seconds lived
}

TEST(WindowTest, ValuesOfOneSecondAddUp) {
  Window window(Seconds(60));
  window.Record(At(0.1), 2);
  window.Record(At(0.9), 3);
  EXPECT_DOUBLE_EQ(window.Average(At(0.95)), 5);
}

TEST(WindowTest, GapsInsideTheLifeCountAsZero) {
  Window window(Seconds(60));
  window.Record(At(0), 6);
  window.Record(At(2), 6);
  EXPECT_DOUBLE_EQ(window.Average(At(2)), 4);  // 12 over three seconds
}

TEST(WindowTest, ASilentSourceIsAveragedOverWhatIsLeft) {
  Window window(Seconds(5));
  for (int i = 0; i < 5; ++i) window.Record(At(i), 10);
  EXPECT_DOUBLE_EQ(window.Average(At(4)), 10);
  // Two seconds of silence: the two oldest are out, three of 10 remain over min(5, 5 - 2) seconds.
  EXPECT_DOUBLE_EQ(window.Average(At(6)), 10);
  EXPECT_DOUBLE_EQ(window.Average(At(9)), 0);  // a whole window of silence
}

TEST(WindowTest, OldSecondsLeaveAFullWindow) {
  Window window(Seconds(3));
  for (int i = 0; i < 6; ++i) window.Record(At(i), i);
  EXPECT_DOUBLE_EQ(window.Average(At(5)), 4);  // 3, 4, 5
}

TEST(WindowTest, AWriteAfterAWholeWindowOfSilenceBeginsANewLife) {
  Window window(Seconds(3));
  window.Record(At(0), 100);
  window.Record(At(3), 9);
  EXPECT_DOUBLE_EQ(window.Average(At(3)), 9);
}

TEST(WindowTest, AValueOlderThanTheWindowIsDroppedAndALateOneIsCounted) {
  Window window(Seconds(3));
  window.Record(At(10), 3);
  window.Record(At(7), 50);
  EXPECT_DOUBLE_EQ(window.Average(At(10)), 3);
  window.Record(At(9), 5);
  EXPECT_DOUBLE_EQ(window.Average(At(10)), 4);  // 8 over two seconds: the life began at 9
}

TEST(WindowTest, TheLinearAverageIsRoundedToSixDecimals) {
  Window window(Seconds(3));
  window.Record(At(0), 1);
  window.Record(At(2), 0);
  EXPECT_EQ(window.Average(At(2)), 0.333333);
}

TEST(WindowTest, EmptyOnlyAfterMoreThanAWindow) {
  Window window(Seconds(3));
  window.Record(At(0), 1);
  EXPECT_FALSE(window.IsEmpty(At(3)));
  EXPECT_TRUE(window.IsEmpty(At(4)));
}

TEST(WindowTest, TheWeightedAverageFollowsTheFormula) {
  // Two buckets: s = max(1 - 0.0001^(1/2), 0.2) = 0.99.
  Window window(Seconds(2), Averaging::kWeightedExponential);
  window.Record(At(0), 10);
  window.Record(At(1), 20);
  EXPECT_NEAR(window.Average(At(1)), 20 * 0.99 + 10 * 0.99 * 0.01, 1e-12);
  // One second of silence: the newest value weighs s(1-s), and the oldest is out.
  EXPECT_NEAR(window.Average(At(2)), 20 * 0.99 * 0.01, 1e-12);
  EXPECT_EQ(window.Average(At(4)), 0);
}

TEST(WindowTest, TheSmoothingCoefficientHasAFloor) {
  // 60 buckets: 1 - 0.0001^(1/60) = 0.142, so 0.2.
  Window window(Seconds(60), Averaging::kWeightedExponential);
  window.Record(At(0), 5);
  EXPECT_NEAR(window.Average(At(0)), 5 * 0.2, 1e-12);
}

TEST(WindowTest, ResizingKeepsTheNewestSeconds) {
  Window window(Seconds(6));
  for (int i = 0; i < 6; ++i) window.Record(At(i), i);
  window.Resize(Seconds(2));
  EXPECT_DOUBLE_EQ(window.Average(At(5)), 4.5);
  window.Resize(Seconds(10));
  EXPECT_DOUBLE_EQ(window.Average(At(5)), 4.5);
}

TEST(DelayWindowTest, HoldsTheMaximumForTheDelay) {
  DelayWindow window(Seconds(6));  // three slots of two seconds
  window.Record(At(0), 9);
  window.Record(At(2), 1);
  window.Record(At(4), 1);
  EXPECT_EQ(window.Maximum(At(4)), 9);
  window.Record(At(6), 1);
  EXPECT_EQ(window.Maximum(At(6)), 1);
}

TEST(DelayWindowTest, ASlotKeepsItsLargest) {
  DelayWindow window(Seconds(2));
  window.Record(At(0), 5);
  window.Record(At(1), 3);
  EXPECT_EQ(window.Maximum(At(1)), 5);
}

}  // namespace
}  // namespace updraft::autoscaler
