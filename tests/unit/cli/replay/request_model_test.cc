#include "cli/replay/request_model.h"

#include <gtest/gtest.h>

namespace updraft::cli {
namespace {

autoscaler::Target Of(std::map<std::string, std::string> annotations, int concurrency) {
  autoscaler::Target target;
  target.annotations = std::move(annotations);
  target.container_concurrency = concurrency;
  target.initialized = true;
  return target;
}

std::vector<ReplayedRequest> AtOnce(int count, Nanos duration) {
  std::vector<ReplayedRequest> requests;
  for (int i = 0; i < count; ++i)
    requests.push_back({.at = TimePoint(Seconds(10)), .duration = duration});
  return requests;
}

AccountSum SumOf(const autoscaler::Target& target, std::vector<ReplayedRequest> requests,
                 ModelOptions options, std::vector<AccountRow>* rows = nullptr) {
  RequestModel model(target, {"r"}, std::move(requests), options);
  return model.Run([rows](const AccountRow& row) {
    if (rows != nullptr) rows->push_back(row);
  });
}

TEST(RequestModelTest, TheFirstAnswerIsSizedFromTheQueue) {
  // 70 at once, 7 per instance aimed at: ten instances at once, each of which takes ten.
  const AccountSum sum = SumOf(Of({}, 10), AtOnce(70, Seconds(1)), {.cold_start = Millis(250)});
  EXPECT_EQ(sum.cold_starts, 70u);
  EXPECT_EQ(sum.starts, 10u);
  EXPECT_DOUBLE_EQ(sum.latency_max, 1.25);
}

TEST(RequestModelTest, MaxScaleMakesAQueue) {
  // Two instances of one slot: four requests one after the other in each.
  const AccountSum sum = SumOf(Of({{"autoscaling.knative.dev/max-scale", "2"}}, 1),
                               AtOnce(8, Seconds(1)), {.cold_start = Nanos(0)});
  EXPECT_EQ(sum.starts, 2u);
  EXPECT_DOUBLE_EQ(sum.latency_max, 4);
}

TEST(RequestModelTest, InstancesGoWhenNothingIsAsked) {
  std::vector<AccountRow> rows;
  const AccountSum sum =
      SumOf(Of({{"autoscaling.knative.dev/window", "6s"}}, 10), AtOnce(1, Seconds(1)),
            {.cold_start = Millis(500), .row_every = Seconds(1)}, &rows);
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows.back().ready, 0);
  // One start, six to some ten seconds until it is gone: active for a window, silent for a window.
  EXPECT_GT(sum.instance_seconds, 6);
  EXPECT_LT(sum.instance_seconds, 14);
}

TEST(RequestModelTest, ARegularCallerIsForeseen) {
  std::vector<ReplayedRequest> requests;
  for (int i = 0; i < 40; ++i)
    requests.push_back({.at = TimePoint(std::chrono::minutes(30 * i)), .duration = Millis(100)});
  const AccountSum plain = SumOf(Of({}, 10), requests, {});
  EXPECT_EQ(plain.cold_starts, 40u);
  const AccountSum adaptive = SumOf(Of({{"updraft.dev/keep-alive", "adaptive"}}, 10), requests, {});
  EXPECT_EQ(adaptive.cold_starts, 11u);  // until ten idle times are known
  const AccountSum fixed =
      SumOf(Of({{"autoscaling.knative.dev/scale-to-zero-pod-retention-period", "40m"}}, 10),
            requests, {});
  EXPECT_EQ(fixed.cold_starts, 1u);
  EXPECT_LT(adaptive.instance_seconds, fixed.instance_seconds / 3);
}

TEST(RequestModelTest, ASchedulesWindowIsWarm) {
  // Second 0 is 07:50; the request comes at 08:05.
  const autoscaler::Target target = Of({{"updraft.dev/schedule", "1 from 0 8 * * * for 1h"}}, 10);
  std::vector<ReplayedRequest> requests = {{.at = TimePoint(Seconds(0)), .duration = Millis(1)},
                                           {.at = TimePoint(Seconds(900)), .duration = Millis(1)}};
  const ModelOptions options{.start = WallTime(Seconds(7 * 3600 + 50 * 60))};
  EXPECT_EQ(SumOf(target, requests, options).cold_starts, 1u);
  EXPECT_EQ(SumOf(Of({}, 10), requests, options).cold_starts, 2u);
}

}  // namespace
}  // namespace updraft::cli
