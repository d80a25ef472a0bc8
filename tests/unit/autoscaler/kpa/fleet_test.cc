#include "autoscaler/kpa/fleet.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

class FleetTest : public testing::Test {
 protected:
  void SetUp() override { fleet_.ActivatorConnected("a", 1); }

  static Target Running(int ready, int concurrency = 10) {
    Target target;
    target.container_concurrency = concurrency;
    target.ready = ready;
    target.initialized = true;
    target.annotations = {{"autoscaling.knative.dev/window", "6s"}};
    return target;
  }

  // One second passes in which `in_flight` requests were running.
  void Second(double in_flight, bool tick) {
    now_ += Seconds(1);
    area_ += in_flight;
    fleet_.Report("a", {{"ns/r", {.request_seconds = area_, .request_count = 0, .running = 0, .waiting = 0}}}, false, now_);
    if (tick) fleet_.Tick(now_);
  }

  std::optional<RevisionDecision> Change() {
    const auto changes = fleet_.TakeChanges();
    EXPECT_LE(changes.size(), 1u);
    if (changes.empty()) return std::nullopt;
    return changes[0];
  }

  Fleet fleet_{Defaults{}};
  TimePoint now_{Seconds(50'000)};
  double area_ = 0;
};

TEST_F(FleetTest, TheFirstRequestIsAnsweredAtOnceAndSizedFromTheQueue) {
  fleet_.Put("ns/r", Running(0), now_);
  fleet_.TakeChanges();
  fleet_.Report("a", {{"ns/r", {.waiting = 20}, 77}}, false, now_);
  const auto change = Change();
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->decision.desired, 3);  // ceil(20 / 7)
  EXPECT_EQ(change->decision.active, Active::kActivating);
  EXPECT_EQ(change->queued_ns, 77);
}

TEST_F(FleetTest, AnotherRevisionOfTheSameNameBeginsAnew) {
  const auto of = [](const char* uid, int ready) {
    Target target = Running(ready);
    target.uid = uid;
    target.initialized = false;
    return target;
  };
  fleet_.Put("ns/r", of("old", 0), now_);
  fleet_.Put("ns/r", of("old", 1), now_);  // its initial scale is reached
  for (int i = 0; i < 10; ++i) Second(200, i % 2 == 1);
  ASSERT_GT(Change()->decision.desired, 20);

  fleet_.Put("ns/r", of("new", 0), now_);
  const auto change = Change();
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(change->uid, "new");
  EXPECT_EQ(change->decision.desired, 1) << "its own initial scale";
  EXPECT_FALSE(change->decision.initialized);
  EXPECT_EQ(fleet_.All()[0].uid, "new");
}

TEST_F(FleetTest, OneDemandIsOneDecision) {
  fleet_.Put("ns/r", Running(0), now_);
  fleet_.Report("a", {{"ns/r", {.waiting = 1}, 77}}, false, now_);
  fleet_.TakeChanges();
  fleet_.Report("a", {{"ns/r", {.waiting = 1}, 77}}, false, now_);
  EXPECT_EQ(Change(), std::nullopt);
}

TEST_F(FleetTest, SteadyLoadIsFollowedAndIdlenessEndsAtZero) {
  fleet_.Put("ns/r", Running(1), now_);
  for (int i = 0; i < 10; ++i) Second(21, i % 2 == 1);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 3);  // 21 / 7
  fleet_.Put("ns/r", Running(3), now_);
  for (int i = 0; i < 40; ++i) {
    Second(0, i % 2 == 1);
    fleet_.Put("ns/r", Running(*fleet_.All()[0].decision.desired), now_);
  }
  EXPECT_EQ(fleet_.All()[0].decision.desired, 0);
  EXPECT_EQ(fleet_.All()[0].decision.active, Active::kFalse);
}

TEST_F(FleetTest, ASecondThatHasNotBeenToldOfIsNoIdleOne) {
  fleet_.Put("ns/r", Running(3), now_);
  for (int i = 0; i < 10; ++i) Second(21, i % 2 == 1);  // 21 of 7 each: exactly three
  // The tick comes after the last report, in the next second of the clock.
  fleet_.Tick(now_ + Millis(1100));
  fleet_.ForEach([](const std::string&, const RevisionScaler& scaler, const Decision& decision) {
    EXPECT_DOUBLE_EQ(scaler.insight().stable, 21);
    EXPECT_DOUBLE_EQ(scaler.insight().panic, 21);  // a window of one second
    EXPECT_EQ(decision.desired, 3);
  });
  fleet_.Tick(now_ + Millis(1900));
  fleet_.ForEach([](const std::string&, const RevisionScaler& scaler, const Decision&) {
    EXPECT_DOUBLE_EQ(scaler.insight().stable, 21);
  });
}

TEST_F(FleetTest, ALateReportIsNoBurst) {
  fleet_.Put("ns/r", Running(1), now_);
  // Seven requests in flight all the time, told after thirty seconds: one instance is enough.
  fleet_.Report("a", {{"ns/r", {.request_seconds = 7, .read_at = Seconds(1)}}}, false, now_ += Seconds(1));
  fleet_.Report("a", {{"ns/r", {.request_seconds = 217, .read_at = Seconds(31)}}}, false, now_ += Seconds(30));
  fleet_.Tick(now_);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 1);
  EXPECT_FALSE(fleet_.All()[0].decision.panic);
}

TEST_F(FleetTest, WithoutAnActivatorNothingIsDecided) {
  fleet_.ActivatorGone("a");
  fleet_.Put("ns/r", Running(3), now_);
  fleet_.TakeChanges();
  for (int i = 0; i < 100; ++i) fleet_.Tick(now_ += Seconds(2));
  EXPECT_EQ(fleet_.All()[0].decision.desired, 3);
}

TEST_F(FleetTest, NothingIsDecidedWhileTheInstancesAreUnknown) {
  Target target = Running(0);
  target.instances_known = false;
  fleet_.Put("ns/r", target, now_);
  fleet_.Report("a", {{"ns/r", {.waiting = 5}, 77}}, false, now_);
  fleet_.Tick(now_);
  EXPECT_EQ(fleet_.All()[0].decision.desired, std::nullopt);
  fleet_.Put("ns/r", Running(0), now_);  // now they are known, and the demand stands
  EXPECT_EQ(fleet_.All()[0].decision.desired, 1);
}

TEST_F(FleetTest, NewDefaultsHoldAtOnce) {
  Target target = Running(1, 0);
  fleet_.Put("ns/r", target, now_);
  for (int i = 0; i < 10; ++i) Second(21, i % 2 == 1);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 1);  // 21 / 70
  fleet_.SetDefaults({.container_concurrency_target = 10}, now_);
  Second(21, true);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 3);  // 21 / 7
}

TEST_F(FleetTest, AnAnnotationThatChangesHoldsAtOnce) {
  Target target = Running(1);
  fleet_.Put("ns/r", target, now_);
  for (int i = 0; i < 10; ++i) Second(21, i % 2 == 1);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 3);  // 21 / 7
  target.annotations["autoscaling.knative.dev/target"] = "5";
  fleet_.Put("ns/r", target, now_);
  Second(21, true);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 6);  // 21 / (5 * 0.7)
  target.annotations["autoscaling.knative.dev/max-scale"] = "4";
  fleet_.Put("ns/r", target, now_);
  Second(21, true);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 4);
}

TEST_F(FleetTest, TheFirstAnswerStaysWithinTheScaleUpLimit) {
  fleet_.SetDefaults({.max_scale_up_rate = 4}, now_);
  fleet_.Put("ns/r", Running(0), now_);
  fleet_.TakeChanges();
  fleet_.Report("a", {{"ns/r", {.waiting = 200}, 77}}, false, now_);
  EXPECT_EQ(Change()->decision.desired, 4);  // min(ceil(200 / 7), ceil(4 * 1))
}

TEST_F(FleetTest, WhatWasStartedForAQueueIsNotTakenBackByTheFirstAverages) {
  Target target = Running(0);
  target.annotations["autoscaling.knative.dev/panic-threshold-percentage"] = "1000";
  fleet_.Put("ns/r", target, now_);
  // 40 wait for a tenth of a second: 4 request-seconds in the window, 6 instances' worth of requests.
  fleet_.Report("a", {{"ns/r", {.request_seconds = 0, .waiting = 40}, 77}}, false, now_);
  fleet_.Report("a", {{"ns/r", {.request_seconds = 4, .waiting = 40}, 77}}, false, now_ + Millis(100));
  fleet_.Tick(now_ + Millis(200));
  EXPECT_EQ(fleet_.All()[0].decision.desired, 6);
}

TEST_F(FleetTest, ADemandIsSizedFromAllActivatorsQueues) {
  fleet_.ActivatorConnected("b", 1);
  fleet_.Put("ns/r", Running(0), now_);
  fleet_.Report("a", {{"ns/r", {.waiting = 20}, 77}}, false, now_);
  fleet_.Report("b", {{"ns/r", {.waiting = 15}, 78}}, false, now_);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 5);  // ceil(35 / 7)
}

TEST_F(FleetTest, AScheduleRaisesAndReleases) {
  Target target = Running(0);
  target.annotations["updraft.dev/schedule"] = "2 from 0 8 * * * for 10m";
  fleet_.Put("ns/r", target, now_);
  const WallTime eight{Seconds(8 * 3600)};
  const auto tick = [&](Nanos from_eight) {
    fleet_.Tick(now_ + from_eight + Seconds(3600), eight + from_eight);
    target.ready = *fleet_.All()[0].decision.desired;
    fleet_.Put("ns/r", target, now_ + from_eight + Seconds(3600));
    return target.ready;
  };
  EXPECT_EQ(tick(Seconds(-2)), 0);
  EXPECT_EQ(tick(Seconds(0)), 2);
  EXPECT_EQ(tick(Seconds(598)), 2);
  EXPECT_EQ(tick(Seconds(600)), 1);  // floor(2 / 2), as the scale-down rate has it
  EXPECT_EQ(tick(Seconds(602)), 1);  // long active: it becomes inactive ...
  EXPECT_EQ(tick(Seconds(604)), 0);  // ... and goes
}

TEST_F(FleetTest, ClassHpaFollowsWhatIsUsed) {
  Target target = Running(2);
  target.annotations = {{"autoscaling.knative.dev/class", "hpa.autoscaling.knative.dev"},
                        {"autoscaling.knative.dev/metric", "cpu"},
                        {"autoscaling.knative.dev/target", "50"}};
  target.cpu_request_millis = 100;
  target.usage = {{.cpu_millis = 100}, {.cpu_millis = 100}};
  fleet_.Put("ns/r", target, now_);
  fleet_.Tick(now_);
  EXPECT_EQ(fleet_.All()[0].decision.desired, 4);  // ceil(2 * 100 % / 50 %)
  target.reachable = false;
  fleet_.Put("ns/r", target, now_);
  for (int i = 0; i < 60; ++i) fleet_.Tick(now_ += Seconds(2));
  EXPECT_EQ(fleet_.All()[0].decision.desired, 0);  // no route leads to it
}

TEST_F(FleetTest, AFullListRemovesWhatItDoesNotName) {
  fleet_.Put("ns/r", Running(1), now_);
  fleet_.Put("ns/s", Running(1), now_);
  fleet_.BeginFull();
  fleet_.Put("ns/s", Running(1), now_);
  fleet_.EndFull();
  EXPECT_EQ(fleet_.size(), 1u);
}

}  // namespace
}  // namespace updraft::autoscaler
