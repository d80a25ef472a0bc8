#include "autoscaler/kpa/window.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <sstream>

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

// A replay's clock begins at 0, and what came before it is a second before.
TEST(WindowTest, TheClocksEpochIsASecondLikeOthers) {
  for (const Averaging averaging : {Averaging::kLinear, Averaging::kWeightedExponential}) {
    Window around(Seconds(6), averaging);
    Window later(Seconds(6), averaging);
    for (int64_t s = -9; s <= 9; ++s) {
      around.Record(TimePoint(Seconds(s)), static_cast<double>(s * s));
      later.Record(At(static_cast<double>(s)), static_cast<double>(s * s));
      if (s == -2) around.Resize(Seconds(5), TimePoint(Seconds(s)));
      if (s == -2) later.Resize(Seconds(5), At(static_cast<double>(s)));
      EXPECT_EQ(around.Average(TimePoint(Seconds(s))), later.Average(At(static_cast<double>(s)))) << s;
    }
  }
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
  window.Resize(Seconds(2), At(5));
  EXPECT_DOUBLE_EQ(window.Average(At(5)), 4.5);
  window.Resize(Seconds(10), At(5));
  EXPECT_DOUBLE_EQ(window.Average(At(5)), 4.5);  // the two seconds that were left are its life
}

TEST(WindowTest, ResizingTakesAWholeOldWindowForLived) {
  // Knative sets the first write back to a whole old window before the last one: 30 over min(60, 6) seconds, though
  // only three were lived.
  Window window(Seconds(60));
  for (int i = 0; i < 3; ++i) window.Record(At(i), 10);
  window.Resize(Seconds(6), At(2));
  EXPECT_DOUBLE_EQ(window.Average(At(2)), 5);
}

TEST(WindowTest, ResizingDropsWhatHasBeenSilentForAWholeWindow) {
  Window window(Seconds(6));
  window.Record(At(0), 12);
  window.Resize(Seconds(60), At(7));
  EXPECT_EQ(window.Average(At(7)), 0);
  window.Record(At(8), 3);
  EXPECT_DOUBLE_EQ(window.Average(At(8)), 3);  // and a new life begins
}

TEST(WindowTest, ResizingForgetsValuesButNotWhenTheyCame) {
  Window window(Seconds(6));
  window.Record(At(0), 12);
  window.Resize(Seconds(60), At(7));
  EXPECT_FALSE(window.IsEmpty(At(7)));  // seven seconds of the new sixty: an average of 0 rather than no data
  EXPECT_TRUE(window.IsEmpty(At(61)));
  // More for the second of the last value: 3 over a whole window, for when the life began is not known any more.
  window.Record(At(0.5), 3);
  EXPECT_DOUBLE_EQ(window.Average(At(0)), 0.05);
}

// What Knative 1.23's buckets and its window of maxima (pkg/autoscaler/aggregation) answered to random histories.
TEST(WindowTest, WhatKnativesOwnWindowsAnsweredIsAnswered) {
  std::ifstream recorded(UPDRAFT_RECORDED_WINDOWS);
  std::optional<Window> window;
  std::optional<DelayWindow> delay;
  int answers = 0;
  std::string line;
  for (int number = 1; std::getline(recorded, line); ++number) {
    SCOPED_TRACE(number);
    std::istringstream words(line);
    std::string what, word;
    double at = 0, value = 0;
    int seconds = 0, count = 0, most = 0;
    words >> what;
    if (what == "window") {
      words >> seconds >> word;
      window.emplace(Seconds(seconds), word == "weighted" ? Averaging::kWeightedExponential : Averaging::kLinear);
    } else if (what == "delay") {
      words >> seconds;
      delay.emplace(Seconds(seconds));
    } else if (what == "resize") {
      words >> at >> seconds;
      window->Resize(Seconds(seconds), At(at));
    } else if (what == "record") {
      words >> at >> value;
      window->Record(At(at), value);
    } else if (what == "average") {
      words >> at >> value >> word;
      EXPECT_NEAR(window->Average(At(at)), value, 1e-9);
      EXPECT_EQ(window->IsEmpty(At(at)), word == "empty");
      ++answers;
    } else if (what == "maximum") {
      words >> at >> count >> most;
      delay->Record(At(at), count);
      EXPECT_EQ(delay->Maximum(At(at)), most);
      ++answers;
    }
  }
  EXPECT_GT(answers, 200);
}

TEST(WindowTest, AResizedWeightedWindowHasTheNewCoefficient) {
  // Three buckets: s = 1 - 0.0001^(1/3) = 0.953584; then two: 0.99.
  Window window(Seconds(3), Averaging::kWeightedExponential);
  window.Record(At(0), 8);
  window.Record(At(1), 4);
  EXPECT_NEAR(window.Average(At(1)), 4 * 0.9535841 + 8 * 0.9535841 * 0.0464159, 1e-6);
  window.Resize(Seconds(2), At(1));
  EXPECT_NEAR(window.Average(At(1)), 4 * 0.99 + 8 * 0.99 * 0.01, 1e-9);
}

// One row: values by second, and the average as of a second, derived from "total over
// min(last - first + 1, n - (now - last))" by hand.
struct LinearCase {
  std::string name;
  int length;
  std::vector<std::pair<double, double>> records;
  double now;
  double want;
};

class LinearTest : public testing::TestWithParam<LinearCase> {};

TEST_P(LinearTest, Average) {
  const LinearCase& c = GetParam();
  Window window{Seconds(c.length)};
  for (const auto& [at, value] : c.records) window.Record(At(at), value);
  EXPECT_NEAR(window.Average(At(c.now)), c.want, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Table, LinearTest,
    testing::ValuesIn(std::vector<LinearCase>{
        {"OneValueIsItsOwnAverage", 60, {{0, 7}}, 0, 7},                                // 7 / min(1, 60)
        {"WithinItsSecondNothingChanges", 60, {{0.2, 7}}, 0.999, 7},                    // 7 / 1
        {"YoungAndSilent", 60, {{0, 6}, {1, 6}}, 11, 6},                                // 12 / min(2, 60 - 10)
        {"OldAndSilent", 4, {{0, 1}, {1, 2}, {2, 3}, {3, 4}}, 5, 3.5},                  // (3 + 4) / min(4, 4 - 2)
        {"SilenceShortensTheDivisor", 6, {{0, 6}, {5, 6}}, 8, 2},                       // 6 / min(6, 6 - 3)
        {"TheLastSecondOfAWindow", 6, {{0, 6}, {5, 6}}, 10, 6},                         // 6 / min(6, 6 - 5)
        {"AWholeWindowOfSilence", 6, {{0, 6}, {5, 6}}, 11, 0},                          // 11 - 5 = 6
        {"AGapIsZero", 10, {{0, 10}, {9, 10}}, 9, 2},                                   // 20 / min(10, 10)
        {"AGapBeyondTheWindowBeginsAnew", 5, {{0, 10}, {5, 10}}, 5, 10},                // reset at >= 5 s
        {"AGapJustWithinDropsTheOld", 5, {{0, 10}, {4, 10}}, 4, 4},                     // 20 / min(5, 5)
        {"TheOldestLeaves", 5, {{0, 10}, {4, 10}, {5, 10}}, 5, 4},                      // (10 + 10) / min(6, 5)
        {"SourcesOfOneSecondAddUp", 60, {{0, 1}, {0, 2}, {0.5, 4}}, 0, 7},              // 7 / 1
        {"SevenThirds", 60, {{0, 7}, {2, 0}}, 2, 2.333333},                             // 7 / 3, six decimals
        {"TwoThirdsAreRoundedUp", 60, {{0, 2}, {2, 0}}, 2, 0.666667},                   // 2 / 3
        {"NowBeforeTheLastWrite", 60, {{0, 2}, {4, 8}}, 2, 2},                          // 10 / 5, as of the last write
    }),
    [](const auto& test) { return test.param.name; });

// value = sum of bucket[i] * s * (1 - s)^i, s = max(1 - 0.0001^(1/n), 0.2).
TEST_P(LinearTest, TheWeightedAverageOfTheSameIsTheFormula) {
  const LinearCase& c = GetParam();
  if (c.name == "NowBeforeTheLastWrite") return;  // weights count from the last write
  Window window(Seconds(c.length), Averaging::kWeightedExponential);
  double last = 0;
  std::map<int, double> buckets;
  for (const auto& [at, value] : c.records) {
    if (at - last >= c.length) buckets.clear();
    window.Record(At(at), value);
    buckets[static_cast<int>(at)] += value;
    last = std::max(last, std::floor(at));
  }
  const double s = std::max(1 - std::pow(0.0001, 1.0 / c.length), 0.2);
  double want = 0;
  const int now = static_cast<int>(c.now);
  if (now - last > c.length) buckets.clear();
  for (const auto& [second, value] : buckets) {
    if (now - second < c.length) want += value * s * std::pow(1 - s, now - second);
  }
  EXPECT_NEAR(window.Average(At(c.now)), want, 1e-9);
}

// The text's words over a plain list of seconds, against many histories.
TEST(WindowTest, AnyHistoryAveragesAsTheTextSays) {
  std::mt19937 random(7);
  const auto up_to = [&random](int most) { return static_cast<int>(random() % static_cast<unsigned>(most + 1)); };
  for (int history = 0; history < 300; ++history) {
    const int length = 1 + up_to(12);
    Window window{Seconds(length)};
    std::map<int, double> seconds;
    int first = 0, last = 0, now = 0;
    for (int step = 0; step < 60; ++step) {
      now += up_to(10) == 0 ? up_to(2 * length) : up_to(2);
      const int at = up_to(4) == 0 ? std::max(0, now - up_to(length + 2)) : now;  // some come late
      const double value = up_to(50);
      window.Record(At(at), value);
      if (seconds.empty() || at - last >= length) {
        seconds = {{at, value}};
        first = last = at;
      } else if (at + length > last) {
        seconds[at] += value;
        first = std::min(first, at);
        last = std::max(last, at);
      }
      const int asked = now + up_to(length);
      double total = 0;
      for (const auto& [second, sum] : seconds) total += second > std::max(asked, last) - length ? sum : 0;
      const int silent = std::max(0, asked - last);
      const double want = silent >= length ? 0 : total / std::min(last - first + 1, length - silent);
      ASSERT_NEAR(window.Average(At(asked)), want, 1e-6) << "history " << history << ", step " << step;
    }
  }
}

TEST(DelayWindowTest, SlotsAreOfTwoSecondsOfTheClock) {
  // A delay of 3 s is ceil(3 / 2) = 2 slots: [0, 2) and [2, 4), then [2, 4) and [4, 6).
  DelayWindow window(Seconds(3));
  window.Record(At(1.9), 5);
  window.Record(At(3.9), 1);
  EXPECT_EQ(window.Maximum(At(3.9)), 5);
  window.Record(At(4), 1);
  EXPECT_EQ(window.Maximum(At(4)), 1);
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

TEST(DelayWindowTest, TheNextLargestTakesOverFromOneThatLeaves) {
  DelayWindow window(Seconds(6));  // three slots of two seconds
  window.Record(At(0), 9);
  window.Record(At(2), 5);
  window.Record(At(4), 3);
  window.Record(At(6), 1);
  EXPECT_EQ(window.Maximum(At(6)), 5);
  window.Record(At(8), 1);
  EXPECT_EQ(window.Maximum(At(8)), 3);
}

TEST(DelayWindowTest, AVeryLongOneNeedsNoRoom) {
  DelayWindow window(std::chrono::hours(2'000'000));
  window.Record(At(0), 7);
  window.Record(At(3600), 1);
  EXPECT_EQ(window.Maximum(At(3600)), 7);
}

TEST(DelayWindowTest, ASlotKeepsItsLargest) {
  DelayWindow window(Seconds(2));
  window.Record(At(0), 5);
  window.Record(At(1), 3);
  EXPECT_EQ(window.Maximum(At(1)), 5);
}

}  // namespace
}  // namespace updraft::autoscaler
