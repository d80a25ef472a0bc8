#include "controller/reconcile/revision_gc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

using std::chrono::hours;

struct GcCase {
  std::string name;
  RevisionRetention retention;
  // Ages in hours since the last activity, one per non-active revision; each is created an hour
  // earlier.
  std::vector<int> ages;
  std::vector<std::string> want;          // deleted, named r<place in ages>
  std::optional<int> wake_in_hours = {};  // from now
};

class RevisionGcTest : public testing::TestWithParam<GcCase> {};

JsonPtr Reserve(size_t place, int age) {
  Json revision = RevisionObject("r" + std::to_string(place), static_cast<int64_t>(place) + 1);
  revision["metadata"]["labels"][label::kRoutingState] = "reserve";
  revision["metadata"]["creationTimestamp"] = api::FormatTimestamp(kNow - hours(age + 1));
  revision["metadata"]["annotations"][annotation::kRoutingStateModified] =
      api::FormatTimestamp(kNow - hours(age));
  return Share(revision);
}

TEST_P(RevisionGcTest, DeletesExactly) {
  const GcCase& c = GetParam();
  std::vector<JsonPtr> revisions;
  for (size_t i = 0; i < c.ages.size(); ++i) revisions.push_back(Reserve(i, c.ages[i]));
  ReconcilePlan plan;
  PlanRevisionGc(ConfigurationObject(), revisions, c.retention, kNow, plan);
  std::vector<std::string> want;
  for (const std::string& name : c.want) want.push_back("delete revisions/" + name);
  EXPECT_EQ(Writes(plan), want);
  if (c.wake_in_hours) {
    EXPECT_EQ(plan.wake_at, kNow + hours(*c.wake_in_hours));
  } else {
    EXPECT_EQ(plan.wake_at, std::nullopt);
  }
}

const RevisionRetention kSmall{.since_create = hours(48),
                               .since_last_active = hours(15),
                               .non_active_min = 1,
                               .non_active_max = 3};

INSTANTIATE_TEST_SUITE_P(
    Table, RevisionGcTest,
    testing::ValuesIn(std::vector<GcCase>{
        {"FewAreKeptWhateverTheirAge", kSmall, {100}, {}},
        {"StaleOnesGoOldestFirst", kSmall, {60, 100, 80}, {"r1", "r2"}},
        {"YoungOnesStayUntilTheyAreStale", kSmall, {1, 2}, {}, 45},
        {"BothTimesMustHavePassed", {hours(48), hours(15), 0, std::nullopt}, {20}, {}, 27},
        {"ADisabledTimeDoesNotCount", {std::nullopt, hours(15), 0, std::nullopt}, {20}, {"r0"}},
        {"WithoutTimesOnlyTheMaximumCounts", {std::nullopt, std::nullopt, 0, 2}, {3, 2, 1}, {"r0"}},
        {"EverythingDisabled", {std::nullopt, std::nullopt, 0, std::nullopt}, {300, 200, 100}, {}},
        {"BeyondTheMaximumYoungOnesGoToo", kSmall, {5, 4, 3, 2, 1}, {"r0", "r1"}, 42},
        {"TheMinimumIsKeptOfTheStale", {hours(48), hours(15), 2, 1000}, {100, 90, 80}, {"r0"}},
    }),
    [](const auto& test) { return test.param.name; });

TEST(RevisionGcTest, ActiveNewestAndMarkedRevisionsAreNeverDeleted) {
  Json configuration = ConfigurationObject();
  configuration["status"]["latestReadyRevisionName"] = "r0";
  Json active = *Reserve(1, 100);
  active["metadata"]["labels"][label::kRoutingState] = "active";
  Json pending = *Reserve(2, 100);
  pending["metadata"]["labels"][label::kRoutingState] = "pending";
  Json marked = *Reserve(3, 100);
  marked["metadata"]["annotations"][annotation::kNoGc] = "True";
  ReconcilePlan plan;
  PlanRevisionGc(configuration,
                 {Reserve(0, 100), Share(active), Share(pending), Share(marked), Reserve(4, 100)},
                 {.non_active_min = 0, .non_active_max = 0}, kNow, plan);
  EXPECT_THAT(Writes(plan), testing::ElementsAre("delete revisions/r4"));
}

}  // namespace
}  // namespace updraft::controller
