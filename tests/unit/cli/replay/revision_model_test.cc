#include "cli/replay/revision_model.h"

#include <gtest/gtest.h>

namespace updraft::cli {
namespace {

constexpr TimePoint kStart{Seconds(100)};

TEST(RevisionModelTest, RequestsWaitForAnInstanceAndForASlot) {
  RevisionModel model(2);
  model.Resize(0, kStart);
  for (size_t i = 0; i < 3; ++i) EXPECT_FALSE(model.Arrive(i, kStart).has_value());
  const auto starts = model.Resize(1, kStart);
  ASSERT_EQ(starts.size(), 1u);
  EXPECT_EQ(model.starting(), 1);
  EXPECT_EQ(model.Ready(starts[0], kStart + Seconds(1)).size(), 2u);
  EXPECT_EQ(model.waiting(), 1u);
  const auto next = model.End(starts[0], kStart + Seconds(2));
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->request, 2u);  // first in, first out
}

TEST(RevisionModelTest, LoadIsTheIntegralOfWhatIsHeldOrRun) {
  RevisionModel model(1);
  model.Resize(0, kStart);
  model.Arrive(0, kStart);
  const auto starts = model.Resize(1, kStart);
  model.Ready(starts[0], kStart + Seconds(2));
  model.Arrive(1, kStart + Seconds(3));
  const auto load = model.Load(kStart + Seconds(5));
  EXPECT_DOUBLE_EQ(load.request_seconds, 3 + 2 * 2);  // one for 3 s, two for 2 s
  EXPECT_EQ(load.request_count, 2u);
  EXPECT_EQ(load.running, 1u);
  EXPECT_EQ(load.waiting, 1u);
  EXPECT_DOUBLE_EQ(model.InstanceSeconds(kStart + Seconds(5)), 5);
}

TEST(RevisionModelTest, StartsAreCalledOffFirstThenIdleOnesThenTheYoungest) {
  RevisionModel model(1);
  model.Resize(0, kStart);
  const auto ids = model.Resize(4, kStart);
  for (size_t i = 0; i < 3; ++i) model.Ready(ids[i], kStart);
  const auto busy = model.Arrive(0, kStart);
  ASSERT_TRUE(busy.has_value());
  EXPECT_EQ(busy->instance, ids[0]);
  model.Resize(3, kStart);
  EXPECT_EQ(model.starting(), 0);
  model.Resize(1, kStart);
  EXPECT_EQ(model.running(), 1);  // the busy one stays
  EXPECT_EQ(model.existing(), 1);
  model.Resize(0, kStart);
  EXPECT_EQ(model.existing(), 1);  // it finishes what it has
  EXPECT_FALSE(model.Arrive(1, kStart).has_value());
  model.End(ids[0], kStart + Seconds(1));
  EXPECT_EQ(model.existing(), 0);
}

TEST(RevisionModelTest, AStartThatWasCalledOffBeginsNothing) {
  RevisionModel model(0);
  model.Resize(0, kStart);
  const auto ids = model.Resize(1, kStart);
  model.Resize(0, kStart);
  model.Arrive(0, kStart);
  EXPECT_TRUE(model.Ready(ids[0], kStart + Seconds(1)).empty());
}

}  // namespace
}  // namespace updraft::cli
