// Which instances get requests, and how those that are to go leave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/instances/fleet_fixture.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

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

}  // namespace
}  // namespace updraft::controller
