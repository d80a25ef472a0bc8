// Instances that fail to start, crash or are evicted: when the next is tried, and what is said of their revision.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/instances/fleet_fixture.h"

namespace updraft::controller {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

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
