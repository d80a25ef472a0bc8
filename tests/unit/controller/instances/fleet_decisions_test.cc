// Decisions become orders, and what the autoscaler is told for the next one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/unit/controller/instances/fleet_fixture.h"

namespace updraft::controller {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST_F(FleetTest, ADecisionBecomesAnOrderInTheSameTurn) {
  Connect();
  v1::Decision decision = DecisionOf("d/r", 2);
  decision.set_queued_ns(11);
  decision.set_decided_ns(12);
  fleet_->OnDecision(decision);
  const auto starts = Starts(Settle());
  ASSERT_THAT(starts, SizeIs(2));
  EXPECT_NE(starts[0].instance_id(), starts[1].instance_id());
  EXPECT_EQ(starts[0].cold_start().queued_ns(), 11);
  EXPECT_EQ(starts[0].cold_start().decided_ns(), 12);
  EXPECT_EQ(starts[0].cold_start().placed_ns(), UnixNanos(clock_.Wall()));
  EXPECT_THAT(Starts(Settle()), IsEmpty());
}

TEST_F(FleetTest, StampsOfADecisionAreNotReusedForLaterInstances) {
  Connect();
  v1::Decision decision = DecisionOf("d/r", 1);
  decision.set_queued_ns(11);
  fleet_->OnDecision(decision);
  const v1::InstanceSpec first = Starts(Settle()).at(0);
  const auto replacement = Starts(Report(first, v1::INSTANCE_STOPPED));
  ASSERT_THAT(replacement, SizeIs(1));
  EXPECT_EQ(replacement[0].cold_start().queued_ns(), 0);
}

TEST_F(FleetTest, NoOpinionKeepsWhatWasDecided) {
  OneReady();
  EXPECT_THAT(Stops(Decide(-1)), IsEmpty());
  EXPECT_EQ(CountsOf(*fleet_, "d/r").desired, 1);
}

TEST_F(FleetTest, WhatWasDecidedOfARevisionThatHadTheNameBeforeIsVoid) {
  Connect();
  auto next = std::make_shared<RevisionSpec>(*SpecOf("d/r"));
  next->instance.set_revision_uid("another");
  fleet_->SetRevision(next);
  v1::Decision decision = DecisionOf("d/r", 3);
  decision.set_initialized(true);
  decision.set_revision_uid("the one before");
  fleet_->OnDecision(decision);
  EXPECT_THAT(Starts(Settle()), IsEmpty());
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).initialized);
  EXPECT_EQ(ScaleTargetOf(*fleet_, "d/r", clock_.Now())->revision_uid(), "another");

  decision.set_revision_uid("another");
  fleet_->OnDecision(decision);
  EXPECT_THAT(Starts(Settle()), SizeIs(3));
}

TEST_F(FleetTest, InstancesOfARevisionThatHadTheNameBeforeAreNotCountedForIt) {
  OneReady();
  auto next = std::make_shared<RevisionSpec>(*SpecOf("d/r"));
  next->instance.set_revision_uid("another");
  fleet_->SetRevision(next);  // and before the fleet settles:
  EXPECT_EQ(CountsOf(*fleet_, "d/r").ready, 0);
  EXPECT_EQ(ObservedOf(*fleet_, "d/r", clock_.Now()).ready, 0);
}

TEST_F(FleetTest, ARevisionOfTheSameNameIsAnother) {
  const v1::InstanceSpec spec = OneReady();
  auto next = std::make_shared<RevisionSpec>(*SpecOf("d/r"));
  next->instance.set_revision_uid("another");
  fleet_->SetRevision(next);
  Settle();
  EXPECT_TRUE(Endpoints().endpoints(0).draining());
  EXPECT_THAT(Starts(last_), IsEmpty());  // nobody has decided for the new one
  const auto starts = Starts(Decide(1));
  ASSERT_THAT(starts, SizeIs(1));
  EXPECT_EQ(starts[0].revision_uid(), "another");
}

TEST_F(FleetTest, OfTwoInstancesTheIdleOneIsTakenAway) {
  fleet_->OnActivator("act");
  Connect();
  const auto starts = Starts(Decide(2));
  ASSERT_THAT(starts, SizeIs(2));
  for (const v1::InstanceSpec& spec : starts) Report(spec, v1::INSTANCE_READY);
  const auto draining = [this] {
    std::vector<std::string> ids;
    const v1::Endpoints endpoints = Endpoints();
    for (const v1::Endpoint& endpoint : endpoints.endpoints()) {
      if (endpoint.draining()) ids.push_back(endpoint.instance_id());
    }
    return ids;
  };
  // Whichever would go by age and name, here the other one is busy.
  const std::vector<const Instance*> both = std::as_const(*fleet_).instances().OfRevision("d/r");
  const DesiredInstanceCount one{
      .count = 1, .start_deadline = Seconds(600), .start_not_before = TimePoint()};
  const InstanceId by_age = PlanInstances(one, both, clock_.Now()).stop.at(0);
  v1::InstanceLoads loads;
  v1::InstanceLoad& load = *loads.add_loads();
  load.set_instance_id(by_age);
  load.set_in_flight(7);
  fleet_->OnLoads("act", loads);
  Decide(1);
  ASSERT_THAT(draining(), SizeIs(1));
  EXPECT_NE(draining()[0], by_age);
}

TEST_F(FleetTest, WhatADeadActivatorSaidOfLoadIsForgotten) {
  fleet_->OnActivator("act");
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceLoads loads;
  v1::InstanceLoad& load = *loads.add_loads();
  load.set_instance_id(spec.instance_id());
  load.set_in_flight(3);
  fleet_->OnLoads("act", loads);
  EXPECT_EQ(RequestsInside(*fleet_->instances().Find(spec.instance_id())), 3U);
  fleet_->OnActivatorGone("act", clock_.Now());
  EXPECT_EQ(RequestsInside(*fleet_->instances().Find(spec.instance_id())), 0U);
}

TEST_F(FleetTest, UsageIsTheDifferenceOfTwoReadings) {
  auto spec_of = std::make_shared<RevisionSpec>(*SpecOf("d/r", 250));
  spec_of->instance.set_report_usage(true);
  fleet_->SetRevision(spec_of);
  const v1::InstanceSpec spec = OneReady();
  const auto read = [&](int64_t cpu_ns, int64_t at_ns) {
    v1::UsageReport report;
    v1::UsageReading& reading = *report.add_readings();
    reading.set_instance_id(spec.instance_id());
    reading.set_cpu_ns(cpu_ns);
    reading.set_memory_bytes(77);
    reading.set_at_ns(at_ns);
    fleet_->OnUsage("n1", streams_["n1"], report, Now());
    Settle();
    return *ScaleTargetOf(*fleet_, "d/r", clock_.Now());
  };
  EXPECT_EQ(read(1'000'000'000, 100).usage_size(), 0);  // one reading is no average
  const v1::ScaleTarget target = read(4'000'000'000, 15'000'000'100);
  ASSERT_EQ(target.usage_size(), 1);
  EXPECT_EQ(target.usage(0).cpu_millis(), 200);  // 3 s of processor time in 15 s
  EXPECT_EQ(target.usage(0).memory_bytes(), 77);
  EXPECT_EQ(target.cpu_request_millis(), 250);
  EXPECT_EQ(read(1'000, 30'000'000'100).usage_size(), 0);  // its container was started anew
}

TEST_F(FleetTest, ScaleTargetsCountWhatThereIs) {
  OneReady();
  Decide(2);
  const auto target = ScaleTargetOf(*fleet_, "d/r", clock_.Now());
  ASSERT_TRUE(target);
  EXPECT_EQ(target->ready(), 1U);
  EXPECT_EQ(target->starting(), 1U);
  EXPECT_EQ(target->failed(), 0U);
  EXPECT_TRUE(target->instances_known());
}

}  // namespace
}  // namespace updraft::controller
