// The controller's three gRPC services together, with an agent, an activator and an autoscaler that
// are played by the test: what comes in on one stream goes out on another.

#include "controller/nodes/claim_directories.h"
#include "controller/nodes/known_nodes.h"
#include "core/store/memory_store.h"
#include "tests/unit/controller/nodes/control_plane_rig.h"
#include "tests/unit/controller/objects/flaky_store.h"
#include "tests/unit/controller/objects/run_task.h"

namespace updraft::controller {
namespace {

class ControlPlaneTest : public testing::Test {
 protected:
  // The next update that names endpoints.
  static v1::RoutingUpdate ReadEndpoints(ActivatorStream& activator) {
    while (true) {
      v1::RoutingUpdate update = activator.Read();
      if (update.endpoints_size() > 0 || testing::Test::HasFailure()) return update;
    }
  }
  // The next update in which d/r has endpoints.
  static v1::Endpoint ReadEndpoint(ActivatorStream& activator) {
    while (true) {
      const v1::RoutingUpdate update = ReadEndpoints(activator);
      if (testing::Test::HasFailure()) return {};
      if (update.endpoints(0).endpoints_size() > 0) return update.endpoints(0).endpoints(0);
    }
  }
  static v1::InstanceSpec ReadStart(AgentStream& agent) {
    while (true) {
      const v1::ControllerMessage message = agent.Read();
      if (message.has_start()) return message.start();
      if (message.desired().instances_size() > 0) return message.desired().instances(0);
      if (testing::Test::HasFailure()) return {};
    }
  }

  ControlPlaneRig rig_;
};

TEST_F(ControlPlaneTest, ADecisionBecomesAnEndpoint) {
  rig_.Start({"d/r"});
  const auto agent = rig_.ConnectAgent("n1");
  EXPECT_TRUE(agent->Read().has_desired());
  const auto activator = rig_.ConnectActivator("act");
  const v1::RoutingUpdate full = activator->Read();
  EXPECT_TRUE(full.full());
  EXPECT_EQ(full.revisions(0).key(), "d/r");
  EXPECT_TRUE(full.endpoints(0).known());
  const auto autoscaler = rig_.ConnectAutoscaler();
  const v1::ScaleTargets targets = autoscaler->Read();
  EXPECT_TRUE(targets.full());
  EXPECT_TRUE(targets.targets(0).instances_known());

  autoscaler->Send(Decides("d/r", 1));
  const v1::InstanceSpec spec = ReadStart(*agent);
  EXPECT_GT(spec.cold_start().placed_ns(), 0);
  EXPECT_EQ(autoscaler->Read().targets(0).starting(), 1U);
  agent->Send(Says(ReportOf(spec, v1::INSTANCE_READY)));
  const v1::Endpoint endpoint = ReadEndpoint(*activator);
  EXPECT_EQ(endpoint.instance_id(), spec.instance_id());
  EXPECT_FALSE(endpoint.draining());
  EXPECT_EQ(autoscaler->Read().targets(0).ready(), 1U);
}

TEST_F(ControlPlaneTest, AnInstanceIsStoppedOnceItsActivatorHasLetItGo) {
  rig_.Start({"d/r"});
  const auto agent = rig_.ConnectAgent("n1");
  const auto activator = rig_.ConnectActivator("act");
  const auto autoscaler = rig_.ConnectAutoscaler();
  autoscaler->Send(Decides("d/r", 1));
  const v1::InstanceSpec spec = ReadStart(*agent);
  agent->Send(Says(ReportOf(spec, v1::INSTANCE_READY)));
  EXPECT_FALSE(ReadEndpoint(*activator).draining());

  autoscaler->Send(Decides("d/r", 0));
  EXPECT_TRUE(ReadEndpoint(*activator).draining());
  activator->Send(SaysDrained(spec.instance_id()));
  const v1::ControllerMessage order = agent->Read();
  EXPECT_EQ(order.stop().instance_id(), spec.instance_id());
  EXPECT_GT(order.stop().grace_ns(), Nanos(Seconds(200)).count());
  agent->Send(Says(ReportOf(spec, v1::INSTANCE_STOPPED)));
  EXPECT_EQ(ReadEndpoints(*activator).endpoints(0).endpoints_size(), 0);
}

TEST_F(ControlPlaneTest, ARestartedControllerSaysThatItDoesNotKnowUntilTheNodesHaveSpoken) {
  rig_.Start({"d/r"});
  v1::InstanceSpec spec;
  {
    const auto agent = rig_.ConnectAgent("n1");
    const auto autoscaler = rig_.ConnectAutoscaler();
    autoscaler->Send(Decides("d/r", 1));
    spec = ReadStart(*agent);
    rig_.Kill();
  }
  FleetOptions options;
  options.expected_nodes = {"n1"};
  rig_.Start({"d/r"}, options);

  const auto activator = rig_.ConnectActivator("act");
  EXPECT_FALSE(activator->Read().endpoints(0).known());
  const auto autoscaler = rig_.ConnectAutoscaler();
  EXPECT_FALSE(autoscaler->Read().targets(0).instances_known());
  autoscaler->Send(Decides("d/r", 1));

  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  *inventory.mutable_instances(0)->mutable_spec() = spec;
  const auto agent = rig_.ConnectAgent("n1", inventory);
  const v1::DesiredInstances desired = agent->Read().desired();
  EXPECT_EQ(desired.instances_size(), 1);
  EXPECT_EQ(desired.stop_size(), 0);
  const v1::RoutingUpdate update = ReadEndpoints(*activator);
  EXPECT_TRUE(update.endpoints(0).known());
  EXPECT_EQ(update.endpoints(0).endpoints(0).instance_id(), spec.instance_id());
  EXPECT_EQ(autoscaler->Read().targets(0).ready(), 1U);
}

TEST_F(ControlPlaneTest, AnAgentThatComesBackFindsItsInstancesWanted) {
  rig_.Start({"d/r"});
  const auto activator = rig_.ConnectActivator("act");
  const auto autoscaler = rig_.ConnectAutoscaler();
  auto agent = rig_.ConnectAgent("n1");
  autoscaler->Send(Decides("d/r", 1));
  const v1::InstanceSpec spec = ReadStart(*agent);
  agent->Send(Says(ReportOf(spec, v1::INSTANCE_READY)));
  EXPECT_EQ(ReadEndpoint(*activator).instance_id(), spec.instance_id());
  agent.reset();

  v1::InstanceInventory inventory;
  *inventory.add_instances() = ReportOf(spec, v1::INSTANCE_READY);
  agent = rig_.ConnectAgent("n1", inventory);
  const v1::DesiredInstances desired = agent->Read().desired();
  EXPECT_EQ(desired.instances_size(), 1);
  EXPECT_EQ(desired.stop_size(), 0);
}

TEST_F(ControlPlaneTest, TheNewerOfTwoStreamsOfANodeIsRight) {
  rig_.Start({"d/r"});
  const auto older = rig_.ConnectAgent("n1");
  EXPECT_TRUE(older->Read().has_desired());
  const auto newer = rig_.ConnectAgent("n1");
  EXPECT_TRUE(newer->Read().has_desired());
  v1::ControllerMessage message;
  EXPECT_EQ(older->End().error_code(), grpc::StatusCode::ABORTED);
  const auto autoscaler = rig_.ConnectAutoscaler();
  autoscaler->Send(Decides("d/r", 1));
  EXPECT_TRUE(newer->Read().has_start());
}

TEST_F(ControlPlaneTest, ARouteIsProgrammedOnceAllActivatorsHaveIt) {
  rig_.Start({"d/r"});
  const auto agent = rig_.ConnectAgent("n1");
  EXPECT_TRUE(agent->Read().has_desired());
  rig_.on.Call([this] {
    rig_.plane->fleet_loop.Change(
        [](Fleet& fleet, Moment) { fleet.OnDecision(DecisionOf("d/r", 1)); });
  });
  const std::string instance = ReadStart(*agent).instance_id();
  const auto first = rig_.ConnectActivator("one");
  const auto second = rig_.ConnectActivator("two");
  EXPECT_TRUE(first->Read().full());
  EXPECT_TRUE(second->Read().full());
  const auto applied = [](ActivatorStream& activator, int64_t sequence) {
    v1::ActivatorMessage message;
    message.mutable_applied()->set_sequence(sequence);
    activator.Send(message);
  };
  applied(*first, 1);
  applied(*second, 1);
  // What was said after it has arrived, so it has too: both are known to answer, and are waited
  // for.
  first->Send(SaysDrained(instance));
  second->Send(SaysDrained(instance));
  ASSERT_TRUE(rig_.on.WaitUntil([this, &instance] {
    return rig_.plane->fleet.instances().Find(instance)->drained_by.size() == 2;
  }));
  rig_.on.Call([this] {
    v1::Route route;
    route.set_key("d/route");
    route.add_hosts()->set_host("route.d.localhost");
    rig_.plane->routing.SetRoute(route, "f1");
  });
  v1::RoutingUpdate update = first->Read();
  if (update.sequence() == 0) update = first->Read();  // that it shares slots now
  ASSERT_EQ(update.routes_size(), 1);
  EXPECT_EQ(update.routes(0).key(), "d/route");
  applied(*first, update.sequence());
  const v1::RoutingUpdate same = second->Read();
  EXPECT_FALSE(rig_.on.Call([this] { return rig_.plane->routing.Programmed("d", "route", "f1"); }));
  applied(*second, same.sequence());
  EXPECT_TRUE(
      rig_.on.WaitUntil([this] { return rig_.plane->routing.Programmed("d", "route", "f1"); }));
  EXPECT_FALSE(rig_.on.Call([this] { return rig_.plane->routing.Programmed("d", "route", "f2"); }));
  EXPECT_EQ(rig_.plane->programmed, std::vector<std::string>{"d/route"});
}

TEST_F(ControlPlaneTest, AControllerThatLeadsNoMoreTellsNobodyAnything) {
  rig_.Start({"d/r"});
  const auto agent = rig_.ConnectAgent("n1");
  EXPECT_TRUE(agent->Read().has_desired());
  bool leads = false;
  rig_.on.Call([this, &leads] {
    rig_.plane->fleet_loop.ActOnlyWhile([&leads] { return leads; });
    rig_.plane->fleet_loop.Change(
        [](Fleet& fleet, Moment) { fleet.OnDecision(DecisionOf("d/r", 1)); });
  });
  // The turn has ended.
  EXPECT_TRUE(rig_.on.Call([this] { return rig_.plane->fleet.instances().all().empty(); }));
  rig_.on.Call([this, &leads] {
    leads = true;
    rig_.plane->fleet_loop.Change([](Fleet&, Moment) {});
  });
  EXPECT_FALSE(ReadStart(*agent).instance_id().empty());
  rig_.on.Call([this] { rig_.plane->fleet_loop.ActOnlyWhile(nullptr); });
}

TEST_F(ControlPlaneTest, AStreamThatDoesNotSayWhoItIsIsRefused) {
  rig_.Start({"d/r"});
  auto stub = v1::NodeService::NewStub(rig_.Channel());
  AgentStream stream([&stub](grpc::ClientContext* context) { return stub->Connect(context); });
  v1::NodeMessage message;
  message.mutable_inventory();
  stream.Send(message);
  EXPECT_EQ(stream.End().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(ControlPlaneTest, NodesHearWhichClaimsThereAreAndWhichGo) {
  rig_.Start({});
  Loop& loop = rig_.on.loop();
  store::MemoryStore kept([&loop](std::function<void()> work) { loop.Post(std::move(work)); });
  auto objects = std::make_unique<ObjectStore>(kept);
  http::Scope scope;
  const auto await = [this, &scope](auto start) {
    bool done = false;
    rig_.on.Call([&] { scope.Spawn(ThenSet(start(), &done)); });
    ASSERT_TRUE(rig_.on.WaitUntil([&done] { return done; }));
  };
  await([&objects] { return objects->Load(); });
  const auto key = [](const std::string& name) {
    return ObjectKey{.resource = "persistentvolumeclaims", .ns = "d", .name = name};
  };
  for (const char* name : {"a", "b"}) {
    const Json claim = {{"metadata", {{"name", name}, {"uid", std::string("of-") + name}}}};
    await([&] { return objects->Create(key(name), claim); });
  }
  std::unique_ptr<ClaimDirectories> claims;
  rig_.on.Call([&] {
    claims = std::make_unique<ClaimDirectories>(*objects, rig_.plane->nodes);
    claims->Start();
    rig_.plane->on_hello = [&claims](const v1::NodeHello& hello) { claims->OnHello(hello.node()); };
  });
  const auto agent = rig_.ConnectAgent("n1");
  const v1::ControllerMessage first = agent->Read();
  EXPECT_EQ(std::vector(first.keep_claims().directories().begin(),
                        first.keep_claims().directories().end()),
            (std::vector<std::string>{"pvc-of-a", "pvc-of-b"}));
  EXPECT_TRUE(agent->Read().has_desired());
  await([&] { return objects->Delete(key("a"), std::nullopt); });
  EXPECT_EQ(agent->Read().remove_claim().directory(), "pvc-of-a");
  rig_.on.Call([&] {
    rig_.plane->on_hello = nullptr;
    claims.reset();
    objects.reset();
  });
}

TEST(KnownNodesTest, ANodeThatCannotBeWrittenIsWrittenLater) {
  store::CallbackQueue queue;
  store::MemoryStore kept(queue.post());
  FlakyStore flaky(kept, queue.post());
  ObjectStore durable(flaky);
  store::MemoryStore forgotten(queue.post());
  ObjectStore soft(forgotten);
  ASSERT_TRUE(RunTask(queue, durable.Load()));
  ASSERT_TRUE(RunTask(queue, soft.Load()));
  std::vector<std::pair<Nanos, std::function<void()>>> later;
  KnownNodes nodes(durable, soft, [&later](Nanos after, std::function<void()> then) {
    later.emplace_back(after, std::move(then));
  });
  flaky.refuse_every = 1;
  nodes.OnHello(HelloOf("n1"));
  queue.RunPending();
  nodes.OnHello(HelloOf("n1"));  // which is no reason to write it twice
  queue.RunPending();
  ASSERT_EQ(later.size(), 1U);
  later[0].second();
  queue.RunPending();
  ASSERT_EQ(later.size(), 2U);
  EXPECT_GT(later[1].first, later[0].first);

  flaky.refuse_every = 0;
  later[1].second();
  queue.RunPending();
  EXPECT_EQ(nodes.Names(), std::set<NodeName>{"n1"});
  EXPECT_EQ(later.size(), 2U);
}

}  // namespace
}  // namespace updraft::controller
