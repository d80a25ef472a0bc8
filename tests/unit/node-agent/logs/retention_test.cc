#include "node-agent/logs/retention.h"

#include <gmock/gmock.h>

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kNow = WallTime(Seconds(1'700'000'000));

FinishedLogs Logs(std::string instance, std::string revision, Nanos ago, uint64_t bytes = 1) {
  return {std::move(instance), std::move(revision), kNow - ago, bytes};
}

TEST(LogsToDeleteTest, NothingBeyondABoundNothingDeleted) {
  EXPECT_THAT(LogsToDelete({}, {Logs("a", "r", Seconds(5))}, kNow), IsEmpty());
}

TEST(LogsToDeleteTest, OldOnesGo) {
  const RetentionPolicy policy{.age_max = Seconds(10)};
  EXPECT_THAT(
      LogsToDelete(policy, {Logs("a", "r", Seconds(10)), Logs("b", "r", Seconds(11))}, kNow),
      ElementsAre("b"));
}

TEST(LogsToDeleteTest, EachRevisionKeepsItsNewest) {
  const RetentionPolicy policy{.per_revision_max = 2};
  EXPECT_THAT(LogsToDelete(policy,
                           {Logs("a1", "a", Seconds(1)), Logs("a3", "a", Seconds(3)),
                            Logs("a2", "a", Seconds(2)), Logs("b9", "b", Seconds(9))},
                           kNow),
              ElementsAre("a3"));
}

TEST(LogsToDeleteTest, TheOldestGoWhenThereIsTooMuch) {
  const RetentionPolicy policy{.bytes_max = 100};
  EXPECT_THAT(LogsToDelete(policy,
                           {Logs("new", "r", Seconds(1), 60), Logs("mid", "r", Seconds(2), 50),
                            Logs("old", "r", Seconds(3), 40)},
                           kNow),
              ElementsAre("mid"));
}

TEST(LogsToDeleteTest, WhatIsDeletedForItsAgeDoesNotCount) {
  const RetentionPolicy policy{.per_revision_max = 1, .age_max = Seconds(10)};
  EXPECT_THAT(LogsToDelete(policy, {Logs("a", "r", Seconds(20)), Logs("b", "r", Seconds(2))}, kNow),
              ElementsAre("a"));
}

}  // namespace
}  // namespace updraft::node_agent
