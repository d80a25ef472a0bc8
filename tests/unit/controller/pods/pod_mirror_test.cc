#include "controller/instances/fleet_on_loop.h"
#include "controller/pods/pod_mirror.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/store/memory_store.h"
#include "tests/unit/controller/instances/builders.h"
#include "tests/unit/controller/instances/test_loop.h"

namespace updraft::controller {
namespace {

using testing::Contains;
using testing::StartsWith;

// What lives on the loop.
struct Parts {
  explicit Parts(Loop& loop)
      : store([&loop](std::function<void()> callback) { loop.Post(std::move(callback)); }),
        soft(store),
        fleet(
            {}, [this] { return random += 0x9e3779b97f4a7c15U; }, RealClock().Now()),
        fleet_loop(loop, RealClock(), fleet),
        mirror(
            loop, fleet_loop, soft, [](const RevisionKey&) { return nullptr; },
            [this](const InstanceEvent& event, const Json& pod) {
              events.push_back(event.reason + " " + pod["metadata"]["name"].get<std::string>());
            }) {
    fleet_loop.Add(mirror);
  }
  static http::Task<void> Load(Parts* parts) {
    const Status loaded = co_await parts->soft.Load();
    EXPECT_TRUE(loaded);
    parts->loaded = true;
  }

  uint64_t random = 0;
  bool loaded = false;
  store::MemoryStore store;
  ObjectStore soft;
  Fleet fleet;
  FleetOnLoop fleet_loop;
  PodMirror mirror;
  std::vector<std::string> events;
};

class PodMirrorTest : public testing::Test {
 protected:
  PodMirrorTest() {
    on_.Call([this] {
      parts_ = std::make_unique<Parts>(on_.loop());
      http::Spawn(Parts::Load(parts_.get()));
    });
    EXPECT_TRUE(on_.WaitUntil([this] { return parts_->loaded; }));
    Change([](Fleet& fleet, Moment at) {
      fleet.SetRevision(SpecOf("d/r"));
      fleet.RevisionsAreLoaded();
      fleet.OnNodeHello(1, HelloOf("n1"), at);
      fleet.OnInventory("n1", 1, {}, at);
    });
  }
  ~PodMirrorTest() override {
    on_.Call([this] { parts_.reset(); });
  }

  void Change(std::function<void(Fleet&, Moment)> change) {
    on_.Call([this, &change] { parts_->fleet_loop.Change(change); });
    EXPECT_TRUE(on_.WaitUntil([this] { return parts_->mirror.idle(); }));
  }
  std::vector<std::shared_ptr<const Json>> List(const char* resource) {
    return on_.Call([this, resource] { return parts_->soft.List(resource, "").objects; });
  }

  TestLoop on_;
  std::unique_ptr<Parts> parts_;
};

TEST_F(PodMirrorTest, AnInstanceComesChangesAndGoesAsAPod) {
  Change([](Fleet& fleet, Moment) { fleet.OnDecision(DecisionOf("d/r", 1)); });
  auto pods = List("pods");
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ((*pods[0])["status"]["phase"], "Pending");
  const std::string id = (*pods[0])["metadata"]["name"];

  v1::InstanceSpec spec = SpecOf("d/r")->instance;
  spec.set_instance_id(id);
  Change([&spec](Fleet& fleet, Moment at) {
    fleet.OnReport("n1", 1, ReportOf(spec, v1::INSTANCE_READY), at);
  });
  pods = List("pods");
  ASSERT_EQ(pods.size(), 1U);
  EXPECT_EQ((*pods[0])["status"]["phase"], "Running");

  Change([&spec](Fleet& fleet, Moment at) {
    fleet.RemoveRevision("d/r");
    fleet.OnReport("n1", 1, ReportOf(spec, v1::INSTANCE_STOPPED), at);
  });
  EXPECT_TRUE(List("pods").empty());
  EXPECT_THAT(parts_->events, Contains(StartsWith("Scheduled " + id)));
}

TEST_F(PodMirrorTest, TheMachineIsANodeUntilItIsForgotten) {
  ASSERT_EQ(List("nodes").size(), 1U);
  Change([](Fleet& fleet, Moment at) {
    fleet.OnNodeGone("n1", 1, at);
    fleet.ForgetNode("n1");
  });
  EXPECT_TRUE(List("nodes").empty());
}

TEST_F(PodMirrorTest, AHundredInstancesAreAHundredPods) {
  Change([](Fleet& fleet, Moment) { fleet.OnDecision(DecisionOf("d/r", 100)); });
  EXPECT_EQ(List("pods").size(), 100U);
  Change([](Fleet& fleet, Moment) { fleet.OnDecision(DecisionOf("d/r", 0)); });
  Change([](Fleet& fleet, Moment at) { fleet.OnInventory("n1", 1, {}, at); });
  EXPECT_TRUE(List("pods").empty());
}

}  // namespace
}  // namespace updraft::controller
