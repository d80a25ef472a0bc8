#include "controller/instances/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/instances/fleet_views.h"
#include "tests/unit/controller/instances/builders.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A fleet with one revision, one node and one activator, unless said otherwise.
class FleetTest : public testing::Test {
 protected:
  FleetTest() { Restart(); }

  void Restart(std::set<NodeName> expected = {}) {
    FleetOptions options;
    options.expected_nodes = std::move(expected);
    fleet_ = std::make_unique<Fleet>(
        options, [this] { return random_ = random_ * 6364136223846793005U + 1442695040888963407U; },
        clock_.Now());
    fleet_->SetRevision(SpecOf("d/r"));
    fleet_->RevisionsAreLoaded();
  }
  Moment Now() const { return {clock_.Now(), clock_.Wall()}; }
  FleetChanges Settle() { return last_ = fleet_->Settle(Now()); }
  FleetChanges Connect(const std::string& node = "n1",
                       const v1::InstanceInventory& inventory = {}) {
    fleet_->OnNodeHello(++stream_, HelloOf(node), Now());
    streams_[node] = stream_;
    fleet_->OnInventory(node, stream_, inventory, Now());
    return Settle();
  }
  FleetChanges Decide(int desired, const std::string& key = "d/r") {
    fleet_->OnDecision(DecisionOf(key, desired));
    return Settle();
  }
  FleetChanges Report(const v1::InstanceSpec& spec, v1::InstancePhase phase,
                      const std::string& node = "n1") {
    fleet_->OnReport(node, streams_[node], ReportOf(spec, phase), Now());
    return Settle();
  }
  static std::vector<v1::InstanceSpec> Starts(const FleetChanges& changes) {
    std::vector<v1::InstanceSpec> starts;
    for (const NodeOrder& order : changes.orders) {
      if (order.message.has_start()) starts.push_back(order.message.start());
    }
    return starts;
  }
  static std::vector<std::string> Stops(const FleetChanges& changes) {
    std::vector<std::string> stops;
    for (const NodeOrder& order : changes.orders) {
      if (order.message.has_stop()) stops.push_back(order.message.stop().instance_id());
      for (const v1::StopInstance& stop : order.message.desired().stop())
        stops.push_back(stop.instance_id());
    }
    return stops;
  }
  static std::optional<v1::DesiredInstances> Desired(const FleetChanges& changes) {
    for (const NodeOrder& order : changes.orders) {
      if (order.message.has_desired()) return order.message.desired();
    }
    return std::nullopt;
  }
  v1::Endpoints Endpoints(const std::string& key = "d/r") {
    return EndpointsOf(*fleet_, key, clock_.Now());
  }

  // One ready instance of d/r on n1, and an activator.
  v1::InstanceSpec OneReady() {
    fleet_->OnActivator("act");
    Connect();
    const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
    Report(spec, v1::INSTANCE_READY);
    return spec;
  }

  FakeClock clock_;
  std::unique_ptr<Fleet> fleet_;
  FleetChanges last_;
  std::map<std::string, uint64_t> streams_;
  uint64_t stream_ = 0;
  uint64_t random_ = 1;
};

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

TEST_F(FleetTest, ABrokenRevisionIsUnreachableAlsoWhenNothingOfItIsLeft) {
  Connect();
  auto broken = std::make_shared<RevisionSpec>(*SpecOf("d/r"));
  broken->broken.emplace().set_reason("ExitCode3");
  fleet_->SetRevision(broken);
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceReport crashed = ReportOf(spec, v1::INSTANCE_BACKOFF);
  crashed.add_containers()->set_restart_count(1);
  fleet_->OnReport("n1", streams_["n1"], crashed, Now());
  EXPECT_NE(ScaleTargetOf(*fleet_, "d/r", clock_.Now())->reachability(), v1::UNREACHABLE)
      << "what it waits for may be late";
  crashed.mutable_containers(0)->set_restart_count(2);
  fleet_->OnReport("n1", streams_["n1"], crashed, Now());
  Settle();
  EXPECT_EQ(ScaleTargetOf(*fleet_, "d/r", clock_.Now())->reachability(), v1::UNREACHABLE);
  Decide(0);
  Report(spec, v1::INSTANCE_STOPPED);
  EXPECT_EQ(ScaleTargetOf(*fleet_, "d/r", clock_.Now())->reachability(), v1::UNREACHABLE);
}

TEST_F(FleetTest, ABrokenRevisionThatWantsMoreThanFitsIsGivenUpAndStaysSo) {
  Connect();
  const std::vector<v1::InstanceSpec> placed = Starts(Decide(1000));
  ASSERT_LT(placed.size(), 1000U);
  for (const v1::InstanceSpec& spec : placed) {
    EXPECT_NE(ScaleTargetOf(*fleet_, "d/r", clock_.Now())->reachability(), v1::UNREACHABLE);
    v1::InstanceReport crashed = ReportOf(spec, v1::INSTANCE_BACKOFF);
    crashed.mutable_failure()->set_reason("CrashLoopBackOff");
    crashed.add_containers()->set_restart_count(3);
    fleet_->OnReport("n1", streams_["n1"], crashed, Now());
    // One of many is always running once more.
    v1::InstanceReport again = ReportOf(spec, v1::INSTANCE_STARTING);
    again.add_containers()->set_restart_count(3);
    again.mutable_containers(0)->set_running(true);
    fleet_->OnReport("n1", streams_["n1"], again, Now());
    Settle();
  }
  const auto given_up = [this] {
    return ScaleTargetOf(*fleet_, "d/r", clock_.Now())->reachability() == v1::UNREACHABLE;
  };
  EXPECT_TRUE(given_up());
  ASSERT_TRUE(FailureOf(*fleet_, "d/r")) << "nobody waits for those that wait for room";
  EXPECT_EQ(FailureOf(*fleet_, "d/r")->reason(), "CrashLoopBackOff");
  ASSERT_TRUE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  EXPECT_EQ(ObservedOf(*fleet_, "d/r", clock_.Now()).failure->reason, "CrashLoopBackOff");

  Decide(2);  // as its windows empty
  EXPECT_TRUE(given_up());
  Decide(0);
  for (const v1::InstanceSpec& spec : placed) Report(spec, v1::INSTANCE_STOPPED);
  EXPECT_TRUE(given_up());
  EXPECT_TRUE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  EXPECT_FALSE(FailureOf(*fleet_, "d/r")) << "the next request tries it again";

  const v1::InstanceSpec asked = Starts(Decide(1)).at(0);
  EXPECT_FALSE(given_up());
  Report(asked, v1::INSTANCE_READY);
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
}

TEST_F(FleetTest, AGivenUpRevisionIsTriedAgainWhenItsInstancesWouldBeMadeOfSomethingElse) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceReport crashed = ReportOf(spec, v1::INSTANCE_BACKOFF);
  crashed.mutable_failure()->set_reason("CrashLoopBackOff");
  crashed.add_containers()->set_restart_count(2);
  fleet_->OnReport("n1", streams_["n1"], crashed, Now());
  Settle();
  const auto reachability = [this] {
    return ScaleTargetOf(*fleet_, "d/r", clock_.Now())->reachability();
  };
  ASSERT_EQ(reachability(), v1::UNREACHABLE);
  auto changed = std::make_shared<RevisionSpec>(*SpecOf("d/r"));
  changed->broken.emplace().set_reason("CrashLoopBackOff");
  fleet_->SetRevision(changed);  // its conditions are no reason
  Settle();
  EXPECT_EQ(reachability(), v1::UNREACHABLE);
  Decide(0);
  Report(spec, v1::INSTANCE_STOPPED);
  changed = std::make_shared<RevisionSpec>(*changed);
  v1::EnvVar& variable = *changed->instance.mutable_containers(0)->add_env();
  variable.set_name("FROM_CONFIG_MAP");
  variable.set_value("mended");
  fleet_->SetRevision(changed);
  Settle();
  EXPECT_NE(reachability(), v1::UNREACHABLE);
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
}

TEST_F(FleetTest, ARestartedControllerKnowsWhatWasGivenUpByTheConditions) {
  auto broken = std::make_shared<RevisionSpec>(*SpecOf("d/r"));
  broken->broken.emplace().set_reason("ExitCode3");
  fleet_->SetRevision(broken);
  EXPECT_EQ(ScaleTargetOf(*fleet_, "d/r", clock_.Now())->reachability(), v1::UNREACHABLE)
      << "also before the nodes are heard";
  Connect();
  EXPECT_EQ(ScaleTargetOf(*fleet_, "d/r", clock_.Now())->reachability(), v1::UNREACHABLE);
}

TEST_F(FleetTest, WhyABrokenRevisionIsBrokenIsKeptAtZero) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceReport crashed = ReportOf(spec, v1::INSTANCE_BACKOFF);
  crashed.mutable_failure()->set_reason("CrashLoopBackOff");
  fleet_->OnReport("n1", streams_["n1"], crashed, Now());
  auto broken = std::make_shared<RevisionSpec>(*SpecOf("d/r"));
  broken->broken.emplace().set_reason("CrashLoopBackOff");
  fleet_->SetRevision(broken);
  Decide(0);
  ASSERT_TRUE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  fleet_->SetRevision(SpecOf("d/r"));  // its conditions say that it is whole again
  Settle();
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
}

TEST_F(FleetTest, InstancesOfARevisionThatHadTheNameBeforeAreNotCountedForIt) {
  OneReady();
  auto next = std::make_shared<RevisionSpec>(*SpecOf("d/r"));
  next->instance.set_revision_uid("another");
  fleet_->SetRevision(next);  // and before the fleet settles:
  EXPECT_EQ(CountsOf(*fleet_, "d/r").ready, 0);
  EXPECT_EQ(ObservedOf(*fleet_, "d/r", clock_.Now()).ready, 0);
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

TEST_F(FleetTest, AReadyReportIsAnEndpointAtOnce) {
  const v1::InstanceSpec spec = OneReady();
  EXPECT_TRUE(last_.revisions.contains("d/r"));
  const v1::Endpoints endpoints = Endpoints();
  EXPECT_TRUE(endpoints.known());
  ASSERT_EQ(endpoints.endpoints_size(), 1);
  EXPECT_EQ(endpoints.endpoints(0).instance_id(), spec.instance_id());
  EXPECT_FALSE(endpoints.endpoints(0).draining());
  EXPECT_THAT(last_.started, SizeIs(1));
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

TEST_F(FleetTest, ScaleDownLeavesRoutingFirstAndStopsWhenAllActivatorsAreDone) {
  const v1::InstanceSpec spec = OneReady();
  fleet_->OnActivator("act2");
  EXPECT_THAT(Stops(Decide(0)), IsEmpty());
  EXPECT_TRUE(Endpoints().endpoints(0).draining());
  fleet_->OnDrained("act", spec.instance_id());
  EXPECT_THAT(Stops(Settle()), IsEmpty());
  fleet_->OnDrained("act2", spec.instance_id());
  EXPECT_THAT(Stops(Settle()), ElementsAre(spec.instance_id()));
  Report(spec, v1::INSTANCE_STOPPING);
  EXPECT_EQ(Endpoints().endpoints_size(), 1);
  Report(spec, v1::INSTANCE_STOPPED);
  EXPECT_EQ(Endpoints().endpoints_size(), 0);
  EXPECT_TRUE(fleet_->instances().all().empty());
}

TEST_F(FleetTest, AnActivatorThatNeverSaysDrainedIsWaitedForUntilTheGraceEnds) {
  const v1::InstanceSpec spec = OneReady();
  EXPECT_EQ(Decide(0).wake_at, clock_.Now() + Seconds(40));  // the node's sign of life comes first
  clock_.Advance(Seconds(299));
  fleet_->OnNodeStatus("n1", streams_["n1"], {}, Now());
  EXPECT_THAT(Stops(Settle()), IsEmpty());
  clock_.Advance(Seconds(1));
  const FleetChanges changes = Settle();
  ASSERT_THAT(Stops(changes), ElementsAre(spec.instance_id()));
  EXPECT_EQ(changes.orders.at(0).message.stop().grace_ns(), Nanos(Seconds(2)).count());
}

TEST_F(FleetTest, ADeadActivatorIsNotWaitedForLong) {
  const v1::InstanceSpec spec = OneReady();
  Decide(0);
  fleet_->OnActivatorGone("act", clock_.Now());
  EXPECT_THAT(Stops(Settle()), IsEmpty());
  clock_.Advance(Seconds(10));
  EXPECT_THAT(Stops(Settle()), ElementsAre(spec.instance_id()));
}

TEST_F(FleetTest, AnInstanceThatNeverServedIsStoppedWithoutDraining) {
  fleet_->OnActivator("act");
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  Report(spec, v1::INSTANCE_STARTING);
  EXPECT_THAT(Stops(Decide(0)), ElementsAre(spec.instance_id()));
}

TEST_F(FleetTest, ScalingUpWhileOneDrainsStartsAnother) {
  const v1::InstanceSpec spec = OneReady();
  Decide(0);
  const auto starts = Starts(Decide(1));
  ASSERT_THAT(starts, SizeIs(1));
  EXPECT_NE(starts[0].instance_id(), spec.instance_id());
  EXPECT_TRUE(Endpoints().endpoints(0).draining());
}

TEST_F(FleetTest, AnEvictedOneIsReplacedAndDrained) {
  const v1::InstanceSpec spec = OneReady();
  EXPECT_FALSE(fleet_->Evict("nobody"));
  EXPECT_TRUE(fleet_->Evict(spec.instance_id()));
  const FleetChanges changes = Settle();
  const auto starts = Starts(changes);
  ASSERT_THAT(starts, SizeIs(1));
  EXPECT_NE(starts[0].instance_id(), spec.instance_id());
  EXPECT_THAT(Stops(changes), IsEmpty()) << "its requests are to end first";
  EXPECT_TRUE(Endpoints().endpoints(0).draining());
  fleet_->OnDrained("act", spec.instance_id());
  EXPECT_THAT(Stops(Settle()), ElementsAre(spec.instance_id()));
}

TEST_F(FleetTest, AnUnreadyInstanceTakesNoNewRequestsAndComesBack) {
  const v1::InstanceSpec spec = OneReady();
  Report(spec, v1::INSTANCE_UNREADY);
  EXPECT_TRUE(Endpoints().endpoints(0).draining());
  EXPECT_EQ(CountsOf(*fleet_, "d/r").starting, 1);
  Report(spec, v1::INSTANCE_READY);
  EXPECT_FALSE(Endpoints().endpoints(0).draining());
}

TEST_F(FleetTest, DrainedIsForgottenWhenTheEndpointTakesRequestsAgain) {
  const v1::InstanceSpec spec = OneReady();
  Report(spec, v1::INSTANCE_UNREADY);
  fleet_->OnDrained("act", spec.instance_id());
  Settle();
  Report(spec, v1::INSTANCE_READY);
  EXPECT_THAT(Stops(Decide(0)), IsEmpty());
}

TEST_F(FleetTest, DrainedWhileUnreadyIsGoodForTheStopThatFollows) {
  const v1::InstanceSpec spec = OneReady();
  Report(spec, v1::INSTANCE_UNREADY);
  fleet_->OnDrained("act", spec.instance_id());
  EXPECT_THAT(Stops(Decide(0)), ElementsAre(spec.instance_id()));
}

TEST_F(FleetTest, AFailedStartIsTriedAgainAfterABackOff) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceReport report = ReportOf(spec, v1::INSTANCE_FAILED);
  report.mutable_failure()->set_reason("CreateContainerError");
  report.mutable_failure()->set_message("no such binary");
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  const FleetChanges failed = Settle();
  EXPECT_THAT(Starts(failed), IsEmpty());
  ASSERT_TRUE(failed.wake_at);
  EXPECT_LE(*failed.wake_at, clock_.Now() + Millis(500));
  EXPECT_EQ(CountsOf(*fleet_, "d/r").failing, 1);
  clock_.Advance(Millis(500));
  EXPECT_THAT(Starts(Settle()), SizeIs(1));
  const RevisionObserved observed = ObservedOf(*fleet_, "d/r", clock_.Now());
  ASSERT_TRUE(observed.failure);  // kept while the next try is under way
  EXPECT_EQ(observed.failure->reason, "CreateContainerError");
}

TEST_F(FleetTest, AFailedInstanceLeavesItsRoomToOthers) {
  fleet_->SetRevision(SpecOf("d/big", 3000));
  fleet_->SetRevision(SpecOf("d/other", 3000));
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1, "d/big")).at(0);
  EXPECT_THAT(Starts(Decide(1, "d/other")), IsEmpty());
  const auto starts = Starts(Report(spec, v1::INSTANCE_FAILED));
  ASSERT_THAT(starts, SizeIs(1));
  EXPECT_EQ(starts[0].revision(), "other");
}

TEST_F(FleetTest, WhatBecomesOfOneThatLeavesIsNoFailureOfItsRevision) {
  const v1::InstanceSpec spec = OneReady();
  Decide(2);
  fleet_->SetRevision(SpecOf("d/r"));
  const std::string other = Starts(last_).at(0).instance_id();
  Decide(1);  // the one that is starting is stopped
  v1::InstanceReport report = ReportOf(spec, v1::INSTANCE_BACKOFF);
  report.set_instance_id(other);
  report.mutable_failure()->set_reason("CrashLoopBackOff");
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  Settle();
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
}

TEST_F(FleetTest, ASuccessfulStartEndsTheRowOfFailures) {
  Connect();
  const v1::InstanceSpec first = Starts(Decide(1)).at(0);
  Report(first, v1::INSTANCE_FAILED);
  clock_.Advance(Millis(500));
  const v1::InstanceSpec second = Starts(Settle()).at(0);
  Report(second, v1::INSTANCE_READY);
  const FleetChanges failed = Report(second, v1::INSTANCE_FAILED);
  ASSERT_TRUE(failed.wake_at);
  EXPECT_LE(*failed.wake_at, clock_.Now() + Millis(500));  // as after the first failure
}

TEST_F(FleetTest, FailuresInARowAreTriedAgainMoreAndMoreSlowly) {
  Connect();
  v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  Nanos last_wait{};
  for (int i = 0; i < 5; ++i) {
    const FleetChanges failed = Report(spec, v1::INSTANCE_FAILED);
    ASSERT_TRUE(failed.wake_at);
    const Nanos wait = *failed.wake_at - clock_.Now();
    EXPECT_GT(wait, last_wait);
    last_wait = wait;
    clock_.Advance(wait);
    fleet_->OnNodeStatus("n1", streams_["n1"], {}, Now());
    const auto next = Starts(Settle());
    ASSERT_THAT(next, SizeIs(1));
    spec = next[0];
  }
}

TEST_F(FleetTest, CrashesShowTheirExitCodeUntilOneIsReady) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceReport report = ReportOf(spec, v1::INSTANCE_BACKOFF);
  report.mutable_failure()->set_reason("CrashLoopBackOff");
  v1::ContainerReport& container = *report.add_containers();
  container.set_name("user-container");
  container.set_restart_count(2);
  container.mutable_last_termination()->set_exit_code(3);
  container.mutable_last_termination()->set_message("panic: no disk");
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  Settle();
  const RevisionObserved observed = ObservedOf(*fleet_, "d/r", clock_.Now());
  ASSERT_TRUE(observed.failure);
  EXPECT_EQ(observed.failure->reason, "ExitCode3");
  EXPECT_EQ(observed.failure->message, "panic: no disk");
  EXPECT_TRUE(FailureOf(*fleet_, "d/r"));  // three crashes: requests are no longer held
  Report(spec, v1::INSTANCE_READY);
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  EXPECT_FALSE(FailureOf(*fleet_, "d/r"));
}

TEST_F(FleetTest, AContainerThatComesBackAtOnceIsNoFailureOfItsRevision) {
  const v1::InstanceSpec spec = OneReady();
  v1::InstanceReport report = ReportOf(spec, v1::INSTANCE_STARTING);
  v1::ContainerReport& container = *report.add_containers();
  container.mutable_last_termination()->set_exit_code(137);
  report.mutable_failure()->set_reason("Unhealthy");
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  Settle();
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  report.mutable_failure()->set_reason("ErrImagePull");  // it cannot come back
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  Settle();
  EXPECT_TRUE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);

  Report(spec, v1::INSTANCE_READY);
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  report.clear_failure();
  report.set_phase(v1::INSTANCE_BACKOFF);  // nor can one that crashes again
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  Settle();
  EXPECT_EQ(ObservedOf(*fleet_, "d/r", clock_.Now()).failure->reason, "ExitCode137");
}

TEST_F(FleetTest, AnInitContainerThatHasDoneItsWorkIsNoFailure) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceReport report = ReportOf(spec, v1::INSTANCE_PENDING);
  v1::ContainerReport& init = *report.add_containers();
  init.set_name("init");
  init.set_ready(true);
  init.mutable_last_termination()->set_exit_code(0);
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  const FleetChanges changes = Settle();
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  for (const InstanceEvent& event : changes.events) EXPECT_NE(event.reason, "ContainerDied");

  init.set_ready(false);  // it failed, and is run again
  init.mutable_last_termination()->set_exit_code(4);
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  Settle();
  ASSERT_TRUE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  EXPECT_EQ(ObservedOf(*fleet_, "d/r", clock_.Now()).failure->reason, "ExitCode4");
}

TEST_F(FleetTest, OneCrashDoesNotFailRequestsThatWait) {
  const v1::InstanceSpec spec = OneReady();
  v1::InstanceReport report = ReportOf(spec, v1::INSTANCE_BACKOFF);
  report.add_containers()->mutable_last_termination()->set_exit_code(137);
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  Settle();
  EXPECT_FALSE(FailureOf(*fleet_, "d/r"));
  EXPECT_EQ(Endpoints().endpoints_size(), 0);
}

// ---- restarts

TEST_F(FleetTest, AFreshControllerWithInventoryAndDecisionDoesNothing) {
  const v1::InstanceSpec spec = OneReady();
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  *inventory.mutable_instances(0)->mutable_spec() = spec;

  Restart({"n1"});
  EXPECT_FALSE(Endpoints().known());
  EXPECT_THAT(Starts(Decide(1)), IsEmpty());  // the decision comes before the inventory
  const FleetChanges changes = Connect("n1", inventory);
  EXPECT_TRUE(Endpoints().known());
  EXPECT_EQ(Endpoints().endpoints_size(), 1);
  EXPECT_FALSE(Endpoints().endpoints(0).draining());
  ASSERT_TRUE(Desired(changes));
  EXPECT_EQ(Desired(changes)->instances_size(), 1);
  EXPECT_EQ(Desired(changes)->stop_size(), 0);
  EXPECT_THAT(changes.orders, SizeIs(1));
  EXPECT_THAT(changes.started, IsEmpty());
  EXPECT_THAT(changes.events, IsEmpty());
}

TEST_F(FleetTest, NothingIsStoppedBeforeTheDecisionArrives) {
  const v1::InstanceSpec spec = OneReady();
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  *inventory.mutable_instances(0)->mutable_spec() = spec;
  Restart();
  EXPECT_THAT(Stops(Connect("n1", inventory)), IsEmpty());
  clock_.Advance(Seconds(30));
  EXPECT_THAT(Stops(Settle()), IsEmpty());
  EXPECT_EQ(CountsOf(*fleet_, "d/r").ready, 1);
}

TEST_F(FleetTest, WaitsForTheOtherNodesThatItKnew) {
  Restart({"n1", "n2"});
  Connect("n1");
  EXPECT_THAT(Starts(Decide(1)), IsEmpty());
  EXPECT_EQ(last_.wake_at, clock_.Now() + Seconds(10));
  EXPECT_FALSE(Endpoints().known());
  clock_.Advance(Seconds(10));
  EXPECT_THAT(Starts(Settle()), SizeIs(1));
  EXPECT_TRUE(Endpoints().known());
}

TEST_F(FleetTest, TheLastKnownNodeOpensTheGate) {
  Restart({"n1", "n2"});
  Connect("n1");
  Decide(1);
  Connect("n2");
  int placed = 0;
  for (const auto& [id, instance] : fleet_->instances().all())
    placed += instance.node.empty() ? 0 : 1;
  EXPECT_EQ(placed, 1);
}

TEST_F(FleetTest, InstancesOfRevisionsThatAreGoneAreStopped) {
  v1::InstanceSpec stray = SpecOf("d/gone")->instance;
  stray.set_instance_id("stray");
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(stray, v1::INSTANCE_READY);
  *inventory.mutable_instances(0)->mutable_spec() = stray;
  Restart({"n1", "n2"});  // even before the other node is heard
  EXPECT_THAT(Stops(Connect("n1", inventory)), ElementsAre("stray"));
  EXPECT_FALSE(RoutedRevisionOf(*fleet_, "d/gone"));
  fleet_->OnReport("n1", streams_["n1"], ReportOf(stray, v1::INSTANCE_STOPPED), Now());
  Settle();
  EXPECT_FALSE(fleet_->revisions().contains("d/gone"));
}

TEST_F(FleetTest, NothingIsStoppedAsGoneBeforeTheRevisionsAreLoaded) {
  v1::InstanceSpec stray = SpecOf("d/later")->instance;
  stray.set_instance_id("i");
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(stray, v1::INSTANCE_READY);
  *inventory.mutable_instances(0)->mutable_spec() = stray;
  fleet_ = std::make_unique<Fleet>(
      FleetOptions{}, [] { return uint64_t{1}; }, clock_.Now());
  EXPECT_THAT(Stops(Connect("n1", inventory)), IsEmpty());
  fleet_->SetRevision(SpecOf("d/later"));
  fleet_->RevisionsAreLoaded();
  EXPECT_THAT(Stops(Settle()), IsEmpty());
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

// ---- nodes

TEST_F(FleetTest, AnAgentThatIsRestartedCostsNothing) {
  const v1::InstanceSpec spec = OneReady();
  fleet_->OnNodeGone("n1", streams_["n1"], Now());
  Settle();
  EXPECT_FALSE(Endpoints().endpoints(0).draining());
  clock_.Advance(Seconds(9));
  Settle();
  EXPECT_FALSE(Endpoints().endpoints(0).draining());
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  const FleetChanges changes = Connect("n1", inventory);
  EXPECT_THAT(changes.orders, SizeIs(1));
  EXPECT_EQ(Desired(changes)->instances(0).instance_id(), spec.instance_id());
  EXPECT_EQ(Endpoints().endpoints_size(), 1);
}

TEST_F(FleetTest, ASilentNodeIsOutOfRoutingAndComesBack) {
  const v1::InstanceSpec spec = OneReady();
  fleet_->OnNodeGone("n1", streams_["n1"], Now());
  EXPECT_EQ(Settle().wake_at, clock_.Now() + Seconds(10));
  clock_.Advance(Seconds(10));
  EXPECT_TRUE(Settle().revisions.contains("d/r"));
  EXPECT_EQ(Endpoints().endpoints_size(), 0);
  clock_.Advance(Seconds(600));
  Settle();
  EXPECT_EQ(fleet_->instances().all().size(), 1U);  // there is no other node to replace it on
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  Connect("n1", inventory);
  EXPECT_EQ(Endpoints().endpoints_size(), 1);
  EXPECT_FALSE(Endpoints().endpoints(0).draining());
}

TEST_F(FleetTest, AMuteNodeIsSilentAfterFortySeconds) {
  OneReady();
  clock_.Advance(Seconds(39));
  Settle();
  EXPECT_EQ(Endpoints().endpoints_size(), 1);
  clock_.Advance(Seconds(1));
  Settle();
  EXPECT_EQ(Endpoints().endpoints_size(), 0);
}

TEST_F(FleetTest, InstancesOfALostNodeAreReplacedElsewhere) {
  const v1::InstanceSpec spec = OneReady();
  Connect("n2");
  fleet_->OnNodeGone("n1", streams_["n1"], Now());
  clock_.Advance(Seconds(10));
  fleet_->OnNodeStatus("n2", streams_["n2"], {}, Now());
  Settle();
  for (int i = 0; i < 6; ++i) {
    clock_.Advance(Seconds(10));
    fleet_->OnNodeStatus("n2", streams_["n2"], {}, Now());
    Settle();
  }
  ASSERT_THAT(Starts(last_), SizeIs(1));
  EXPECT_EQ(last_.orders.at(0).node, "n2");
  // When the lost one comes back, what was replaced is stopped.
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  EXPECT_THAT(Stops(Connect("n1", inventory)), ElementsAre(spec.instance_id()));
}

TEST_F(FleetTest, AnOrderThatWasLostWithItsStreamIsRepeated) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  fleet_->OnNodeGone("n1", streams_["n1"], Now());
  Settle();
  const FleetChanges changes = Connect();  // its inventory is empty: it never heard of it
  ASSERT_TRUE(Desired(changes));
  EXPECT_EQ(Desired(changes)->instances(0).instance_id(), spec.instance_id());
  EXPECT_EQ(fleet_->instances().all().size(), 1U);
}

TEST_F(FleetTest, AnInstanceThatIsMissingFromAnInventoryIsReplaced) {
  const v1::InstanceSpec spec = OneReady();
  const FleetChanges changes = Connect();  // the machine was rebooted: it has nothing
  ASSERT_TRUE(Desired(changes));
  ASSERT_EQ(Desired(changes)->instances_size(), 1);
  EXPECT_NE(Desired(changes)->instances(0).instance_id(), spec.instance_id());
}

TEST_F(FleetTest, ReportsOfAnOldStreamAreIgnored) {
  const v1::InstanceSpec spec = OneReady();
  const uint64_t old_stream = streams_["n1"];
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  Connect("n1", inventory);
  fleet_->OnReport("n1", old_stream, ReportOf(spec, v1::INSTANCE_STOPPED), Now());
  fleet_->OnNodeGone("n1", old_stream, Now());
  Settle();
  EXPECT_EQ(Endpoints().endpoints_size(), 1);
}

TEST_F(FleetTest, AnOlderReportDoesNotOverwriteANewerOne) {
  const v1::InstanceSpec spec = OneReady();
  v1::InstanceReport newer = ReportOf(spec, v1::INSTANCE_READY);
  newer.set_sequence(5);
  v1::InstanceReport older = ReportOf(spec, v1::INSTANCE_STARTING);
  older.set_sequence(4);
  fleet_->OnReport("n1", streams_["n1"], newer, Now());
  fleet_->OnReport("n1", streams_["n1"], older, Now());
  Settle();
  EXPECT_EQ(CountsOf(*fleet_, "d/r").ready, 1);
}

TEST_F(FleetTest, ARestartedAgentCountsItsReportsAnew) {
  const v1::InstanceSpec spec = OneReady();
  v1::InstanceReport late = ReportOf(spec, v1::INSTANCE_READY);
  late.set_sequence(100);
  fleet_->OnReport("n1", streams_["n1"], late, Now());
  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  inventory.mutable_instances(0)->set_sequence(1);
  Connect("n1", inventory);
  v1::InstanceReport next = ReportOf(spec, v1::INSTANCE_UNREADY);
  next.set_sequence(2);
  fleet_->OnReport("n1", streams_["n1"], next, Now());
  Settle();
  EXPECT_TRUE(Endpoints().endpoints(0).draining());
}

// ---- placement

TEST_F(FleetTest, WaitsForRoomAndTakesItWhenItComes) {
  fleet_->SetRevision(SpecOf("d/big", 3000));
  Connect();
  const auto first = Starts(Decide(2, "d/big"));
  ASSERT_THAT(first, SizeIs(1));
  const RevisionObserved observed = ObservedOf(*fleet_, "d/big", clock_.Now());
  ASSERT_TRUE(observed.failure);
  EXPECT_EQ(observed.failure->reason, "Unschedulable");
  EXPECT_EQ(observed.failure->message, "0/1 nodes are available: 1 Insufficient cpu.");
  const FleetChanges changes = Connect("n2");
  ASSERT_TRUE(Desired(changes));
  EXPECT_EQ(Desired(changes)->instances_size(), 1);
  EXPECT_FALSE(ObservedOf(*fleet_, "d/big", clock_.Now()).failure);
}

TEST_F(FleetTest, RoomThatIsLeftIsGivenToWhoWaits) {
  fleet_->SetRevision(SpecOf("d/big", 3000));
  fleet_->SetRevision(SpecOf("d/other", 3000));
  Connect();
  const v1::InstanceSpec big = Starts(Decide(1, "d/big")).at(0);
  EXPECT_THAT(Starts(Decide(1, "d/other")), IsEmpty());
  EXPECT_THAT(Stops(Decide(0, "d/big")), ElementsAre(big.instance_id()));
  EXPECT_THAT(Starts(Report(big, v1::INSTANCE_STOPPED)), SizeIs(1));
}

TEST_F(FleetTest, ACordonedNodeGetsNoMore) {
  Connect();
  fleet_->SetScheduling("n1", Scheduling::kCordoned);
  EXPECT_THAT(Starts(Decide(1)), IsEmpty());
  fleet_->SetScheduling("n1", Scheduling::kAllowed);
  EXPECT_THAT(Starts(Settle()), SizeIs(1));
}

TEST_F(FleetTest, NothingStartsBeforeTheImageIsResolved) {
  auto spec = std::make_shared<RevisionSpec>(*SpecOf("d/new"));
  spec->resolved = false;
  fleet_->SetRevision(spec);
  Connect();
  EXPECT_THAT(Starts(Decide(1, "d/new")), IsEmpty());
  EXPECT_FALSE(ScaleTargetOf(*fleet_, "d/new", clock_.Now()));
  fleet_->SetRevision(SpecOf("d/new"));
  EXPECT_THAT(Starts(Settle()), SizeIs(1));
  EXPECT_TRUE(ScaleTargetOf(*fleet_, "d/new", clock_.Now()));
}

TEST_F(FleetTest, AConfigErrorIsSaidAndStartsWhenItIsGone) {
  auto spec = std::make_shared<RevisionSpec>(*SpecOf("d/new"));
  spec->config_error.emplace();
  spec->config_error->set_reason("CreateContainerConfigError");
  spec->config_error->set_message("configmap \"x\" not found");
  fleet_->SetRevision(spec);
  Connect();
  EXPECT_THAT(Starts(Decide(1, "d/new")), IsEmpty());
  EXPECT_EQ(FailureOf(*fleet_, "d/new")->message(), "configmap \"x\" not found");
  fleet_->SetRevision(SpecOf("d/new"));
  EXPECT_THAT(Starts(Settle()), SizeIs(1));
  EXPECT_FALSE(FailureOf(*fleet_, "d/new"));
}

// ---- revisions

TEST_F(FleetTest, ARemovedRevisionDrainsBeforeItIsForgotten) {
  const v1::InstanceSpec spec = OneReady();
  fleet_->RemoveRevision("d/r");
  EXPECT_THAT(Stops(Settle()), IsEmpty());
  EXPECT_TRUE(RoutedRevisionOf(*fleet_, "d/r"));
  EXPECT_TRUE(Endpoints().endpoints(0).draining());
  EXPECT_FALSE(ScaleTargetOf(*fleet_, "d/r", clock_.Now()));
  fleet_->OnDrained("act", spec.instance_id());
  EXPECT_THAT(Stops(Settle()), ElementsAre(spec.instance_id()));
  Report(spec, v1::INSTANCE_STOPPED);
  EXPECT_FALSE(RoutedRevisionOf(*fleet_, "d/r"));
}

TEST_F(FleetTest, WhatAnActivationFailedOfIsToldAtZeroUntilOneSucceeds) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceReport failed = ReportOf(spec, v1::INSTANCE_FAILED);
  failed.mutable_failure()->set_reason("ErrImagePull");
  failed.mutable_failure()->set_message("the image is gone");
  fleet_->OnReport("n1", streams_["n1"], failed, Now());
  Settle();
  v1::Decision gave_up = DecisionOf("d/r", 0);
  gave_up.set_active(v1::ACTIVE_TIMED_OUT);
  fleet_->OnDecision(gave_up);
  Settle();
  const auto observed = ObservedOf(*fleet_, "d/r", clock_.Now());
  EXPECT_EQ(observed.activity, Activity::kTimedOut);
  ASSERT_TRUE(observed.failure.has_value());
  EXPECT_EQ(observed.failure->reason, "ErrImagePull");
  clock_.Advance(Seconds(2));  // its back-off
  const v1::InstanceSpec next = Starts(Decide(1)).at(0);
  Report(next, v1::INSTANCE_READY);
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure.has_value());
}

TEST_F(FleetTest, ACommonEndAtZeroTellsNoFailure) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  v1::InstanceReport failed = ReportOf(spec, v1::INSTANCE_FAILED);
  failed.mutable_failure()->set_reason("ErrImagePull");
  fleet_->OnReport("n1", streams_["n1"], failed, Now());
  Settle();
  Decide(0);
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure.has_value());
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

TEST_F(FleetTest, NoOpinionKeepsWhatWasDecided) {
  OneReady();
  EXPECT_THAT(Stops(Decide(-1)), IsEmpty());
  EXPECT_EQ(CountsOf(*fleet_, "d/r").desired, 1);
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

TEST_F(FleetTest, AnEvictedInstanceIsReplacedAndItsRevisionNotBlamed) {
  Connect();
  const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
  Report(spec, v1::INSTANCE_READY);
  v1::InstanceReport report = ReportOf(spec, v1::INSTANCE_STOPPING);
  report.mutable_failure()->set_reason("Evicted");
  report.mutable_failure()->set_message("too much");
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  EXPECT_THAT(Starts(Settle()), IsEmpty());
  report.set_phase(v1::INSTANCE_FAILED);
  report.add_containers()->mutable_last_termination()->set_exit_code(137);
  fleet_->OnReport("n1", streams_["n1"], report, Now());
  const FleetChanges changes = Settle();
  EXPECT_FALSE(ObservedOf(*fleet_, "d/r", clock_.Now()).failure);
  EXPECT_EQ(fleet_->instances().Find(spec.instance_id())->report.failure().reason(), "Evicted");
  ASSERT_TRUE(changes.wake_at);
  clock_.Advance(*changes.wake_at - clock_.Now());
  EXPECT_THAT(Starts(Settle()), SizeIs(1));
  EXPECT_EQ(fleet_->instances().Find(spec.instance_id()), nullptr);
}

}  // namespace
}  // namespace updraft::controller
