// Nodes that are silent, lost or come back, and what has to be there before an instance is placed on one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/unit/controller/instances/fleet_fixture.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

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

}  // namespace
}  // namespace updraft::controller
