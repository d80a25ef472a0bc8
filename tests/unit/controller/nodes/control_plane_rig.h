// The controller's gRPC side on unix sockets, and peers that a test plays by hand.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/feeds/decision_server.h"
#include "controller/feeds/routing_server.h"
#include "controller/instances/fleet_on_loop.h"
#include "controller/nodes/node_server.h"
#include "tests/unit/controller/instances/builders.h"
#include "tests/unit/controller/instances/test_loop.h"

namespace updraft::controller {

// A folder for sockets that goes with the test.
class SocketFolder {
 public:
  SocketFolder() {
    // gRPC is kept up between tests: shutting the library down may wait ten seconds for a poller of
    // its own.
    grpc_init();
    char path[] = "/tmp/updraft-test-XXXXXX";
    EXPECT_NE(mkdtemp(path), nullptr);
    path_ = path;
  }
  ~SocketFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string Target(const std::string& name) const { return "unix:" + path_ + "/" + name; }

 private:
  std::string path_;
};

// One stream that a test opened. Every wait ends after ten seconds.
template <typename Out, typename In>
class TestStream {
 public:
  template <typename Open>
  explicit TestStream(Open open) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    context_.set_wait_for_ready(true);
    stream_ = open(&context_);
  }
  ~TestStream() {
    context_.TryCancel();
    if (!ended_) (void)stream_->Finish();
  }

  void Send(const Out& message) { EXPECT_TRUE(stream_->Write(message)); }
  // The next message; a default one, and a failed test, when the stream ends instead.
  In Read() {
    In message;
    EXPECT_TRUE(stream_->Read(&message));
    return message;
  }
  grpc::Status End() {
    In message;
    while (stream_->Read(&message)) {
    }
    ended_ = true;
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Out, In>> stream_;
  bool ended_ = false;
};

using AgentStream = TestStream<v1::NodeMessage, v1::ControllerMessage>;
using ActivatorStream = TestStream<v1::ActivatorMessage, v1::RoutingUpdate>;
using AutoscalerStream = TestStream<v1::AutoscalerMessage, v1::ScaleTargets>;

// What lives on the controller's loop.
struct ControlPlane {
  ControlPlane(Loop& loop, FleetOptions options)
      : fleet(
            std::move(options), [this] { return random += 0x9e3779b97f4a7c15U; },
            RealClock().Now()),
        fleet_loop(loop, RealClock(), fleet),
        nodes(loop, fleet_loop,
              [this](const v1::NodeHello& hello) {
                if (on_hello) on_hello(hello);
              }),
        routing(loop, fleet_loop, [this](const std::string& key) { programmed.push_back(key); }),
        decisions(loop, fleet_loop, nullptr) {
    fleet_loop.Add(nodes);
    fleet_loop.Add(routing);
    fleet_loop.Add(decisions);
  }

  uint64_t random = 0;
  std::vector<std::string> programmed;
  std::function<void(const v1::NodeHello&)> on_hello;
  Fleet fleet;
  FleetOnLoop fleet_loop;
  NodeServer nodes;
  RoutingServer routing;
  DecisionServer decisions;
};

class ControlPlaneRig {
 public:
  ~ControlPlaneRig() { Kill(); }

  void Start(std::vector<std::string> revisions, FleetOptions options = {}) {
    on.Call([this, &revisions, &options] {
      plane = std::make_unique<ControlPlane>(on.loop(), options);
      plane->fleet_loop.Change([&revisions](Fleet& fleet, Moment) {
        for (const std::string& key : revisions) fleet.SetRevision(SpecOf(key));
        fleet.RevisionsAreLoaded();
      });
    });
    grpc::ServerBuilder builder;
    builder.AddListeningPort(folder.Target("controller.sock"), grpc::InsecureServerCredentials());
    builder.RegisterService(&plane->nodes);
    builder.RegisterService(&plane->routing);
    builder.RegisterService(&plane->decisions);
    server_ = builder.BuildAndStart();
    ASSERT_TRUE(server_);
  }
  // As kill -9 does: no farewell that anyone could act on.
  void Kill() {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
    on.Call([this] { plane.reset(); });
  }

  std::unique_ptr<AgentStream> ConnectAgent(const std::string& node,
                                            const v1::InstanceInventory& inventory = {},
                                            const std::string& agent_address = "") {
    auto stub = v1::NodeService::NewStub(Channel());
    auto stream = std::make_unique<AgentStream>(
        [&stub](grpc::ClientContext* context) { return stub->Connect(context); });
    v1::NodeMessage hello;
    *hello.mutable_hello() = HelloOf(node);
    hello.mutable_hello()->set_agent_address(agent_address.empty() ? folder.Target("agent.sock")
                                                                   : agent_address);
    stream->Send(hello);
    v1::NodeMessage first;
    *first.mutable_inventory() = inventory;
    stream->Send(first);
    return stream;
  }
  std::unique_ptr<ActivatorStream> ConnectActivator(const std::string& id) {
    auto stub = v1::RoutingService::NewStub(Channel());
    auto stream = std::make_unique<ActivatorStream>(
        [&stub](grpc::ClientContext* context) { return stub->Watch(context); });
    v1::ActivatorMessage hello;
    hello.mutable_hello()->set_activator_id(id);
    stream->Send(hello);
    return stream;
  }
  std::unique_ptr<AutoscalerStream> ConnectAutoscaler() {
    auto stub = v1::DecisionService::NewStub(Channel());
    return std::make_unique<AutoscalerStream>(
        [&stub](grpc::ClientContext* context) { return stub->Sync(context); });
  }

  std::shared_ptr<grpc::Channel> Channel() {
    // A channel of its own each time: one that saw the last controller die waits before it tries
    // again.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 10);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
    return grpc::CreateCustomChannel(folder.Target("controller.sock"),
                                     grpc::InsecureChannelCredentials(), arguments);
  }

  SocketFolder folder;
  TestLoop on;
  std::unique_ptr<ControlPlane> plane;

 private:
  std::unique_ptr<grpc::Server> server_;
};

inline v1::NodeMessage Says(const v1::InstanceReport& report) {
  v1::NodeMessage message;
  *message.mutable_instance() = report;
  return message;
}

inline v1::AutoscalerMessage Decides(const std::string& key, int desired) {
  v1::AutoscalerMessage message;
  *message.add_decisions() = DecisionOf(key, desired);
  return message;
}

inline v1::ActivatorMessage SaysDrained(const std::string& instance) {
  v1::ActivatorMessage message;
  message.mutable_drained()->set_instance_id(instance);
  return message;
}

}  // namespace updraft::controller
