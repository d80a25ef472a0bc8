// A restarted controller: nothing is started or stopped before it knows what there is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/unit/controller/instances/fleet_fixture.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

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

}  // namespace
}  // namespace updraft::controller
