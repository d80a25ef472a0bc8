// Two activators and one controller's routing service, over gRPC: together they keep to containerConcurrency, and a slot
// that one has and does not use goes to the other that needs it.
#include <gtest/gtest.h>
#include <grpcpp/grpcpp.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "activator/control.h"
#include "activator/worker_pool.h"
#include "controller/feeds/routing_server.h"
#include "controller/instances/fleet_on_loop.h"
#include "core/http/client.h"
#include "core/http/sync.h"
#include "tests/unit/controller/instances/builders.h"
#include "tests/unit/activator/application.h"
#include "tests/unit/controller/instances/test_loop.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft {
namespace {

constexpr char kRevision[] = "default/app-1";

using activator::Answer;
using activator::Application;
using activator::Get;

void Do(Loop& loop, const std::function<void()>& work) {
  std::promise<void> done;
  loop.Post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

class RunningActivator {
 public:
  RunningActivator(const std::string& id, const std::string& folder, const std::string& controller,
                   const activator::Lineage& lineage = {})
      : address("unix:" + folder + "/" + id + ".sock") {
    Do(thread_.loop(), [&] {
      control_ = std::make_unique<activator::Control>(
          thread_.loop(), RealClock(),
          activator::ControlOptions{
              .activator_id = id,
              .lineage = lineage,
              .version = "1",
              .controller = controller,
              .autoscaler = "unix:" + folder + "/none"},
          exposition_, [this] { routable_.set_value(); });
      pool_ = std::make_unique<activator::WorkerPool>(activator::WorkerPoolOptions{.workers = 2}, *control_);
      control_->Start(pool_->workers(), pool_->counters());
    });
    routable_.get_future().wait();
    Do(thread_.loop(), [this] { EXPECT_TRUE(pool_->Listen({{.address = address}})); });
  }
  ~RunningActivator() {
    Do(thread_.loop(), [this] { pool_.reset(); });
    Do(thread_.loop(), [this] { control_.reset(); });
    thread_.Stop();
  }

  void StopServing() {
    Do(thread_.loop(), [this] { control_->StopServing(); });
  }

  const std::string address;

 private:
  LoopThread thread_{"control"};
  metrics::Exposition exposition_{"activator"};
  std::promise<void> routable_;
  std::unique_ptr<activator::Control> control_;
  std::unique_ptr<activator::WorkerPool> pool_;
};

// The controller's loop, with a fleet of which the test is the node.
struct Plane {
  explicit Plane(Loop& loop)
      : fleet({}, [this] { return random += 0x9e3779b97f4a7c15U; }, RealClock().Now()),
        fleet_loop(loop, RealClock(), fleet),
        routing(loop, fleet_loop, nullptr) {
    fleet_loop.Add(routing);
  }
  uint64_t random = 0;
  controller::Fleet fleet;
  controller::FleetOnLoop fleet_loop;
  controller::RoutingServer routing;
};

class SharedSlotsTest : public testing::Test {
 protected:
  std::string Target() const { return "unix:" + folder_ + "/controller.sock"; }

  SharedSlotsTest() : instance_([this](http::Exchange& exchange) { return Answer(exchange, &application_); }) {
    char folder[] = "/tmp/updraft-slots-XXXXXX";
    folder_ = mkdtemp(folder);
    const std::string target = Target();
    on_.Call([this] { Prepare(); });
    grpc::ServerBuilder builder;
    builder.AddListeningPort(target, grpc::InsecureServerCredentials());
    builder.RegisterService(&plane_->routing);
    server_ = builder.BuildAndStart();
    for (const char* id : {"a", "b"}) {
      activators_.push_back(std::make_unique<RunningActivator>(id, folder_, target));
    }
  }
  ~SharedSlotsTest() override {
    // First: an activator whose workers are gone is to hear no more.
    server_->Shutdown(std::chrono::system_clock::now());
    activators_.clear();
    on_.Call([this] { plane_.reset(); });
    on_.Stop();
    std::filesystem::remove_all(folder_);
  }

  // One ready instance of a revision with containerConcurrency 1, and the route to it.
  void Prepare() {
    plane_ = std::make_unique<Plane>(on_.loop());
    plane_->fleet_loop.Change([this](controller::Fleet& fleet, controller::Moment at) {
      auto spec = std::make_shared<controller::RevisionSpec>(*controller::SpecOf(kRevision));
      spec->routing.set_container_concurrency(1);
      fleet.SetRevision(spec);
      fleet.RevisionsAreLoaded();
      fleet.OnNodeHello(1, controller::HelloOf("node"), at);
      v1::InstanceSpec one = spec->instance;
      one.set_instance_id("app-1-x");
      v1::InstanceInventory inventory;
      v1::InstanceReport& report = *inventory.add_instances();
      report = controller::ReportOf(one, v1::INSTANCE_READY);
      *report.mutable_spec() = one;
      report.set_ip("127.0.0.1");
      report.set_port(instance_.port());
      fleet.OnInventory("node", 1, inventory, at);
      fleet.OnDecision(controller::DecisionOf(kRevision, 1));
    });
    v1::Route route;
    route.set_key("default/app");
    v1::HostRule& rule = *route.add_hosts();
    rule.set_host("app.test");
    v1::Split& split = *rule.add_splits();
    split.set_revision(kRevision);
    split.set_percent(100);
    plane_->routing.SetRoute(route, "1");
  }

  // So many requests to each at once; how many were answered well.
  int Ask(const std::vector<size_t>& which, int times) {
    std::atomic<int> ok{0};
    std::latch done(static_cast<std::ptrdiff_t>(which.size()) * times);
    Loop& clients = clients_.loop();
    clients.Post([&] {
      for (int i = 0; i < times; ++i) {
        for (const size_t one : which) http::Spawn(Get(&clients, activators_[one]->address, "app.test", &ok, &done));
      }
    });
    done.wait();
    return ok.load();
  }

  std::string folder_;
  Application application_;
  http::TestServer instance_;
  controller::TestLoop on_;
  LoopThread clients_{"clients"};
  std::unique_ptr<Plane> plane_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::unique_ptr<RunningActivator>> activators_;
};

TEST_F(SharedSlotsTest, BothTogetherKeepToTheConcurrencyAndAllIsAnswered) {
  EXPECT_EQ(Ask({0, 1}, 300), 600);
  EXPECT_EQ(application_.served.load(), 600) << "none twice";
  EXPECT_EQ(application_.most_inside.load(), 1);
}

TEST_F(SharedSlotsTest, AnIdleHolderGivesTheSlotToWhoNeedsIt) {
  for (int turn = 0; turn < 40; ++turn) {
    ASSERT_EQ(Ask({static_cast<size_t>(turn % 2)}, 1), 1) << turn;
  }
  EXPECT_EQ(application_.most_inside.load(), 1);
}

TEST_F(SharedSlotsTest, OneThatFollowsAnotherHasItsSlotsWhenThatOneLeaves) {
  activators_.push_back(std::make_unique<RunningActivator>("a-1", folder_, Target(),
                                                           activator::Lineage{.id = "a", .beside = true}));
  EXPECT_EQ(Ask({0, 2}, 50), 100);
  activators_[0]->StopServing();
  EXPECT_EQ(Ask({2}, 50), 50);
  EXPECT_EQ(application_.most_inside.load(), 1);
}

}  // namespace
}  // namespace updraft
