#include "controller/instances/plan.h"

#include <gtest/gtest.h>

namespace updraft::controller {
namespace {

constexpr TimePoint kNow = TimePoint(std::chrono::hours(1));

Instance Make(const std::string& id, v1::InstancePhase phase, Nanos age = Seconds(10)) {
  Instance instance;
  instance.id = id;
  instance.revision = "default/r";
  instance.node = "n1";
  instance.phase = phase;
  instance.was_ready = phase == v1::INSTANCE_READY || phase == v1::INSTANCE_UNREADY;
  instance.created = kNow - age;
  return instance;
}

InstancePlan Plan(std::optional<int> count, const std::vector<Instance>& instances,
                  Nanos deadline = Seconds(600), TimePoint not_before = TimePoint()) {
  std::vector<const Instance*> pointers;
  for (const Instance& instance : instances) pointers.push_back(&instance);
  return PlanInstances({.count = count, .start_deadline = deadline, .start_not_before = not_before},
                       pointers, kNow);
}

TEST(PlanInstances, StartsWhatIsMissing) {
  EXPECT_EQ(Plan(3, {}).start, 3);
  EXPECT_EQ(Plan(3, {Make("a", v1::INSTANCE_READY)}).start, 2);
  EXPECT_EQ(Plan(1, {Make("a", v1::INSTANCE_READY)}), InstancePlan{});
}

TEST(PlanInstances, DoesNothingWhileNobodyHasDecided) {
  EXPECT_EQ(Plan(std::nullopt, {Make("a", v1::INSTANCE_READY), Make("b", v1::INSTANCE_FAILED)}),
            InstancePlan{});
}

TEST(PlanInstances, LosesTheCheapestFirst) {
  std::vector<Instance> all = {Make("old-ready", v1::INSTANCE_READY, Seconds(100)),
                               Make("young-ready", v1::INSTANCE_READY, Seconds(5)),
                               Make("unready", v1::INSTANCE_UNREADY, Seconds(200)),
                               Make("starting", v1::INSTANCE_STARTING),
                               Make("pending", v1::INSTANCE_PENDING),
                               Make("unplaced", v1::INSTANCE_PENDING, Seconds(50)),
                               Make("crashing", v1::INSTANCE_BACKOFF)};
  all[5].node.clear();
  EXPECT_EQ(Plan(0, all).stop,
            (std::vector<InstanceId>{"crashing", "unplaced", "pending", "starting", "unready",
                                     "young-ready", "old-ready"}));
  EXPECT_EQ(Plan(6, all).stop, std::vector<InstanceId>{"crashing"});
}

TEST(PlanInstances, AnEvictedOneIsReplaced) {
  std::vector<Instance> all = {Make("a", v1::INSTANCE_READY), Make("b", v1::INSTANCE_READY)};
  all[0].evicted = true;
  const InstancePlan plan = Plan(2, all);
  EXPECT_EQ(plan.start, 1);
  EXPECT_EQ(plan.stop, std::vector<InstanceId>{"a"});
  EXPECT_EQ(Plan(1, all).start, 0) << "one too many was there anyway";
}

TEST(PlanInstances, NeverLosesABusyOneWhileAnotherIsIdle) {
  std::vector<Instance> all = {Make("old-idle", v1::INSTANCE_READY, Seconds(100)),
                               Make("young-busy", v1::INSTANCE_READY, Seconds(5)),
                               Make("old-busier", v1::INSTANCE_READY, Seconds(200)),
                               Make("young-idle", v1::INSTANCE_READY, Seconds(1))};
  all[1].in_flight = {{"a", 1}, {"b", 2}};
  all[2].in_flight = {{"a", 4}};
  EXPECT_EQ(Plan(0, all).stop,
            (std::vector<InstanceId>{"young-idle", "old-idle", "young-busy", "old-busier"}));
  EXPECT_EQ(Plan(2, all).stop, (std::vector<InstanceId>{"young-idle", "old-idle"}));
}

TEST(PlanInstances, CrashBackOffCountsAsExisting) {
  EXPECT_EQ(Plan(1, {Make("a", v1::INSTANCE_BACKOFF, Seconds(10'000))}), InstancePlan{});
}

TEST(PlanInstances, ReplacesOneThatMissedItsStartDeadline) {
  const InstancePlan plan = Plan(1, {Make("slow", v1::INSTANCE_STARTING, Seconds(600))});
  EXPECT_EQ(plan.stop, std::vector<InstanceId>{"slow"});
  EXPECT_EQ(plan.start, 1);
}

TEST(PlanInstances, LooksAgainWhenTheStartDeadlineEnds) {
  const InstancePlan plan = Plan(1, {Make("a", v1::INSTANCE_PENDING, Seconds(599))});
  EXPECT_EQ(plan.start, 0);
  EXPECT_EQ(plan.look_again, kNow + Seconds(1));
}

TEST(PlanInstances, OneThatWasReadyHasNoStartDeadline) {
  Instance restarted = Make("a", v1::INSTANCE_STARTING, Seconds(10'000));
  restarted.was_ready = true;
  EXPECT_EQ(Plan(1, {restarted}), InstancePlan{});
}

TEST(PlanInstances, WaitsForTheBackOffBeforeItReplacesAFailedOne) {
  const InstancePlan waits =
      Plan(1, {Make("f", v1::INSTANCE_FAILED)}, Seconds(600), kNow + Seconds(2));
  EXPECT_EQ(waits.start, 0);
  EXPECT_TRUE(waits.forget.empty());
  EXPECT_EQ(waits.look_again, kNow + Seconds(2));
  const InstancePlan tries = Plan(1, {Make("f", v1::INSTANCE_FAILED)}, Seconds(600), kNow);
  EXPECT_EQ(tries.start, 1);
  EXPECT_EQ(tries.forget, std::vector<InstanceId>{"f"});
}

TEST(PlanInstances, ForgetsFailedOnesThatNobodyWants) {
  const InstancePlan plan = Plan(0, {Make("f", v1::INSTANCE_FAILED)});
  EXPECT_EQ(plan.forget, std::vector<InstanceId>{"f"});
  EXPECT_EQ(plan.start, 0);
}

TEST(PlanInstances, ReplacesLostOnes) {
  Instance lost = Make("l", v1::INSTANCE_READY);
  lost.lost = true;
  const InstancePlan plan = Plan(1, {lost});
  EXPECT_EQ(plan.start, 1);
  EXPECT_EQ(plan.stop, std::vector<InstanceId>{"l"});
}

TEST(PlanInstances, DrainingOnesAreNeitherCountedNorTouched) {
  Instance draining = Make("d", v1::INSTANCE_READY);
  draining.intent = Intent::kDrain;
  EXPECT_EQ(Plan(1, {draining}).start, 1);
  EXPECT_EQ(Plan(0, {draining}), InstancePlan{});
}

}  // namespace
}  // namespace updraft::controller
