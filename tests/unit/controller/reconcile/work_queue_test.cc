#include "controller/reconcile/work_queue.h"

#include <gtest/gtest.h>

namespace updraft::controller {
namespace {

constexpr TimePoint kStart{};

WorkKey Key(const std::string& name) { return {Work::kReconcile, {"services", "default", name}}; }

TEST(WorkQueueTest, KeysComeInTheOrderTheyWereAddedAndOnce) {
  WorkQueue queue;
  queue.Add(Key("a"));
  queue.Add(Key("b"));
  queue.Add(Key("a"));
  EXPECT_EQ(queue.Take(kStart), Key("a"));
  EXPECT_EQ(queue.Take(kStart), Key("b"));
  EXPECT_EQ(queue.Take(kStart), std::nullopt);
}

TEST(WorkQueueTest, AKeyThatIsWorkedOnComesAgainAfterwards) {
  WorkQueue queue;
  queue.Add(Key("a"));
  ASSERT_TRUE(queue.Take(kStart));
  queue.Add(Key("a"));
  queue.Add(Key("a"));
  EXPECT_EQ(queue.Take(kStart), std::nullopt) << "never twice at once";
  queue.Finish(Key("a"), std::nullopt);
  EXPECT_EQ(queue.Take(kStart), Key("a"));
  queue.Finish(Key("a"), std::nullopt);
  EXPECT_EQ(queue.Take(kStart), std::nullopt);
  EXPECT_TRUE(queue.idle());
}

TEST(WorkQueueTest, AWakeTimeIsKept) {
  WorkQueue queue;
  queue.Add(Key("a"));
  queue.Take(kStart);
  queue.Finish(Key("a"), kStart + Seconds(5));
  EXPECT_EQ(queue.NextWake(), kStart + Seconds(5));
  EXPECT_EQ(queue.Take(kStart + Seconds(4)), std::nullopt);
  EXPECT_EQ(queue.Take(kStart + Seconds(5)), Key("a"));
  queue.Finish(Key("a"), std::nullopt);
  EXPECT_EQ(queue.NextWake(), std::nullopt);
}

TEST(WorkQueueTest, AnAdditionComesBeforeTheWakeTime) {
  WorkQueue queue;
  queue.Add(Key("a"));
  queue.Take(kStart);
  queue.Finish(Key("a"), kStart + Seconds(5));
  queue.Add(Key("a"));
  EXPECT_EQ(queue.Take(kStart), Key("a"));
  queue.Finish(Key("a"), std::nullopt);
  EXPECT_EQ(queue.Take(kStart + Seconds(9)), std::nullopt) << "the plan of the last look counts";
}

TEST(WorkQueueTest, FailuresBackOffAndASuccessForgetsThem) {
  WorkQueue queue({.first = Millis(100), .most = Seconds(30)});
  queue.Add(Key("a"));
  queue.Take(kStart);
  EXPECT_EQ(queue.Retry(Key("a"), kStart, 0), 1);
  EXPECT_EQ(queue.NextWake(), kStart + Millis(50));
  queue.Take(kStart + Millis(50));
  EXPECT_EQ(queue.Retry(Key("a"), kStart, 0), 2);
  EXPECT_EQ(queue.NextWake(), kStart + Millis(100));
  queue.Take(kStart + Millis(100));
  queue.Finish(Key("a"), std::nullopt);
  queue.Add(Key("a"));
  queue.Take(kStart);
  EXPECT_EQ(queue.Retry(Key("a"), kStart, 0), 1);
}

TEST(WorkQueueTest, AConflictComesAgainAtOnce) {
  WorkQueue queue;
  queue.Add(Key("a"));
  queue.Take(kStart);
  queue.Again(Key("a"));
  EXPECT_EQ(queue.Take(kStart), Key("a"));
}

TEST(WorkQueueTest, DifferentWorkOnOneObjectGoesSideBySide) {
  WorkQueue queue;
  WorkKey garbage = Key("a");
  garbage.work = Work::kGarbage;
  queue.Add(Key("a"));
  queue.Add(garbage);
  EXPECT_EQ(queue.Take(kStart), Key("a"));
  EXPECT_EQ(queue.Take(kStart), garbage);
  EXPECT_EQ(queue.running(), 2u);
}

}  // namespace
}  // namespace updraft::controller
