// Revisions that are given up because they are broken, and tried again.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/unit/controller/instances/fleet_fixture.h"

namespace updraft::controller {
namespace {

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

}  // namespace
}  // namespace updraft::controller
