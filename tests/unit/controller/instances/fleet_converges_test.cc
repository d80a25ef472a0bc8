// Random orders of events: whatever happened before, once the faults stop the fleet reaches what
// was decided last and is then left alone. Never does it want more instances than were decided.

#include <gtest/gtest.h>

#include <random>

#include "controller/instances/fleet.h"
#include "controller/instances/fleet_views.h"
#include "tests/unit/controller/instances/builders.h"

namespace updraft::controller {
namespace {

constexpr int kSteps = 300;
constexpr int kDesiredMax = 6;
const std::vector<std::string> kRevisions = {"d/a", "d/b", "d/c"};
const std::vector<std::string> kNodes = {"n1", "n2"};

struct HeldInstance {
  v1::InstanceSpec spec;
  v1::InstancePhase phase = v1::INSTANCE_PENDING;
  int64_t sequence = 0;
};

// A node-agent that does what it is told, late, and forgets nothing but its stream.
struct SimulatedNode {
  std::map<std::string, HeldInstance> held;
  std::vector<v1::ControllerMessage> inbox;
  uint64_t stream = 0;
};

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {
    Restart();
    for (const std::string& name : kNodes) Connect(name);
  }

  int Pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  void Restart() {
    FleetOptions options;
    options.expected_nodes = {kNodes.begin(), kNodes.end()};
    fleet_ = std::make_unique<Fleet>(
        options, [this] { return random_() * uint64_t{0x9e3779b97f4a7c15U} + random_(); },
        clock_.Now());
    for (const std::string& key : kRevisions) fleet_->SetRevision(SpecOf(key));
    fleet_->RevisionsAreLoaded();
    fleet_->OnActivator("act");
    for (auto& [name, node] : nodes_) {
      node.stream = 0;
      node.inbox.clear();
    }
  }

  void Connect(const std::string& name) {
    SimulatedNode& node = nodes_[name];
    node.inbox.clear();
    node.stream = ++streams_;
    v1::InstanceInventory inventory;
    for (auto& [id, held] : node.held) {
      v1::InstanceReport& report = *inventory.add_instances();
      report = ReportOf(held.spec, held.phase);
      *report.mutable_spec() = held.spec;
      report.set_sequence(++held.sequence);
    }
    fleet_->OnNodeHello(node.stream, HelloOf(name), Now());
    fleet_->OnInventory(name, node.stream, inventory, Now());
  }

  void Disconnect(const std::string& name) {
    SimulatedNode& node = nodes_[name];
    fleet_->OnNodeGone(name, node.stream, Now());
    node.stream = 0;
    node.inbox.clear();
  }

  void Decide(const std::string& key, int desired) {
    desired_[key] = desired;
    fleet_->OnDecision(DecisionOf(key, desired));
  }
  void DecideAllAgain() {
    for (const auto& [key, desired] : desired_) fleet_->OnDecision(DecisionOf(key, desired));
  }

  // One message or one step of one instance on a node.
  void NodeStep(const std::string& name, bool faults) {
    SimulatedNode& node = nodes_[name];
    if (!node.inbox.empty()) {
      const v1::ControllerMessage message = node.inbox.front();
      node.inbox.erase(node.inbox.begin());
      Obey(node, message);
    }
    for (auto it = node.held.begin(); it != node.held.end();) {
      HeldInstance& held = it->second;
      if (Pick(2) == 0) {
        ++it;
        continue;
      }
      Advance(held, faults);
      v1::InstanceReport report = ReportOf(held.spec, held.phase);
      report.set_sequence(++held.sequence);
      if (node.stream != 0) fleet_->OnReport(name, node.stream, report, Now());
      const bool over = held.phase == v1::INSTANCE_STOPPED || held.phase == v1::INSTANCE_FAILED;
      it = over ? node.held.erase(it) : std::next(it);
    }
    if (node.stream != 0) fleet_->OnNodeStatus(name, node.stream, {}, Now());
  }

  FleetChanges Settle() {
    clock_.Advance(Millis(700));
    FleetChanges changes = fleet_->Settle(Now());
    for (const NodeOrder& order : changes.orders) nodes_[order.node].inbox.push_back(order.message);
    for (const std::string& key : kRevisions) {
      const v1::Endpoints endpoints = EndpointsOf(*fleet_, key, clock_.Now());
      for (const v1::Endpoint& endpoint : endpoints.endpoints()) {
        if (endpoint.draining() && Pick(2) == 0) fleet_->OnDrained("act", endpoint.instance_id());
      }
      const std::optional<int> decided = fleet_->revisions().at(key).desired;
      if (!decided || !fleet_->known(clock_.Now())) continue;
      EXPECT_LE(Wanted(key), *decided) << key;
    }
    return changes;
  }

  int Wanted(const std::string& key) const {
    int wanted = 0;
    for (const Instance* instance : std::as_const(fleet_->instances()).OfRevision(key)) {
      const bool counts =
          instance->intent == Intent::kRun && instance->phase != v1::INSTANCE_FAILED;
      wanted += counts ? 1 : 0;
    }
    return wanted;
  }
  int Running(const std::string& key) const {
    int running = 0;
    for (const auto& [name, node] : nodes_) {
      for (const auto& [id, held] : node.held) {
        const bool mine = held.spec.namespace_() + "/" + held.spec.revision() == key;
        running += mine && held.phase == v1::INSTANCE_READY ? 1 : 0;
      }
    }
    return running;
  }
  int desired(const std::string& key) { return desired_[key]; }
  bool Connected(const std::string& name) { return nodes_[name].stream != 0; }
  const Fleet& fleet() const { return *fleet_; }

 private:
  Moment Now() const { return {clock_.Now(), clock_.Wall()}; }

  void Obey(SimulatedNode& node, const v1::ControllerMessage& message) {
    const auto start = [&node](const v1::InstanceSpec& spec) {
      node.held.try_emplace(spec.instance_id(), HeldInstance{spec});
    };
    const auto stop = [&node](const v1::StopInstance& order) {
      const auto it = node.held.find(order.instance_id());
      if (it != node.held.end()) it->second.phase = v1::INSTANCE_STOPPING;
    };
    if (message.has_start()) start(message.start());
    if (message.has_stop()) stop(message.stop());
    for (const v1::InstanceSpec& spec : message.desired().instances()) start(spec);
    for (const v1::StopInstance& order : message.desired().stop()) stop(order);
  }

  void Advance(HeldInstance& held, bool faults) {
    if (held.phase == v1::INSTANCE_STOPPING) {
      held.phase = v1::INSTANCE_STOPPED;
    } else if (faults && Pick(8) == 0) {
      const v1::InstancePhase bad[] = {v1::INSTANCE_FAILED, v1::INSTANCE_BACKOFF,
                                       v1::INSTANCE_UNREADY, v1::INSTANCE_STOPPED};
      held.phase = bad[Pick(4)];
    } else if (held.phase == v1::INSTANCE_PENDING) {
      held.phase = v1::INSTANCE_STARTING;
    } else {
      held.phase = v1::INSTANCE_READY;
    }
  }

  std::mt19937 random_;
  FakeClock clock_;
  std::unique_ptr<Fleet> fleet_;
  std::map<std::string, SimulatedNode> nodes_;
  std::map<std::string, int> desired_;
  uint64_t streams_ = 0;
};

class FleetConverges : public testing::TestWithParam<uint32_t> {};

TEST_P(FleetConverges, OnceTheFaultsStop) {
  World world(GetParam());
  for (const std::string& key : kRevisions) world.Decide(key, world.Pick(kDesiredMax));
  for (int step = 0; step < kSteps; ++step) {
    const std::string& name =
        kNodes[static_cast<size_t>(world.Pick(static_cast<int>(kNodes.size())))];
    switch (world.Pick(12)) {
      case 0:
        world.Decide(kRevisions[static_cast<size_t>(world.Pick(3))], world.Pick(kDesiredMax));
        break;
      case 1:
        world.Disconnect(name);
        break;
      case 2:
        world.Connect(name);
        break;
      case 3:
        if (world.Pick(10) == 0) world.Restart();
        break;
      case 4:
        world.DecideAllAgain();
        break;
      default:
        world.NodeStep(name, /*faults=*/true);
    }
    world.Settle();
  }

  for (const std::string& name : kNodes) world.Connect(name);
  world.DecideAllAgain();
  for (int step = 0; step < 400; ++step) {
    for (const std::string& name : kNodes) world.NodeStep(name, /*faults=*/false);
    world.Settle();
  }
  for (const std::string& key : kRevisions) {
    EXPECT_EQ(world.Running(key), world.desired(key)) << key;
    EXPECT_EQ(CountsOf(world.fleet(), key).total, world.desired(key)) << key;
  }
  EXPECT_TRUE(world.Settle().orders.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, FleetConverges, testing::Range(0U, 200U));

}  // namespace
}  // namespace updraft::controller
