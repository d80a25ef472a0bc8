// A node, an activator and an autoscaler for benchmarks of the controller: everything that it asks for has happened at
// once.
//
//   updraft_fake_runtime --controller unix:PATH [--keep]
//
// A new revision gets one instance, which is ready as soon as it is asked for; then it goes to zero, unless told to
// keep it. Ends with its standard input, or when the controller goes away.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "updraft/v1/node.grpc.pb.h"
#include "updraft/v1/routing.grpc.pb.h"
#include "updraft/v1/scaling.grpc.pb.h"

namespace updraft {
namespace {

constexpr int kMessageBytesMax = 64 << 20;

void Send(const std::string& what, bool written) {
  if (!written) std::fprintf(stderr, "fake_runtime: the stream of the %s has ended\n", what.c_str());
}

void RunNode(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context) {
  const auto stream = v1::NodeService::NewStub(channel)->Connect(&context);
  v1::NodeMessage message;
  v1::NodeHello& hello = *message.mutable_hello();
  hello.set_node("bench");
  hello.set_agent_address("unix:/nonexistent");
  hello.mutable_capacity()->set_cpu_millis(1'000'000'000);
  hello.mutable_capacity()->set_memory_bytes(int64_t{1} << 50);
  hello.mutable_capacity()->set_instances_max(1'000'000);
  Send("node", stream->Write(message));
  message.mutable_inventory();
  Send("node", stream->Write(message));
  v1::ControllerMessage said;
  while (stream->Read(&said)) {
    v1::NodeMessage answer;
    v1::InstanceReport& report = *answer.mutable_instance();
    if (said.has_start()) {
      const v1::InstanceSpec& spec = said.start();
      report.set_instance_id(spec.instance_id());
      report.set_revision(spec.namespace_() + "/" + spec.revision());
      report.set_phase(v1::INSTANCE_READY);
      report.set_ip("10.0.0.1");
      report.set_port(spec.port());
      report.set_sequence(1);
      for (const v1::Container& container : spec.containers()) {
        v1::ContainerReport& one = *report.add_containers();
        one.set_name(container.name());
        one.set_running(true);
        one.set_ready(true);
      }
    } else if (said.has_stop()) {
      report.set_instance_id(said.stop().instance_id());
      report.set_phase(v1::INSTANCE_STOPPED);
      report.set_sequence(2);
    } else {
      continue;
    }
    if (!stream->Write(answer)) break;
  }
}

void RunActivator(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context) {
  const auto stream = v1::RoutingService::NewStub(channel)->Watch(&context);
  v1::ActivatorMessage message;
  message.mutable_hello()->set_activator_id("bench");
  Send("activator", stream->Write(message));
  v1::RoutingUpdate update;
  while (stream->Read(&update)) {
    message.mutable_applied()->set_sequence(update.sequence());
    if (!stream->Write(message)) break;
    for (const v1::Endpoints& endpoints : update.endpoints()) {
      for (const v1::Endpoint& endpoint : endpoints.endpoints()) {
        if (!endpoint.draining()) continue;
        v1::ActivatorMessage drained;
        drained.mutable_drained()->set_instance_id(endpoint.instance_id());
        Send("activator", stream->Write(drained));
      }
    }
  }
}

void RunAutoscaler(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext& context, bool keep) {
  const auto stream = v1::DecisionService::NewStub(channel)->Sync(&context);
  v1::ScaleTargets targets;
  while (stream->Read(&targets)) {
    v1::AutoscalerMessage message;
    for (const v1::ScaleTarget& target : targets.targets()) {
      const bool sleeps = !keep && (target.ready() > 0 || target.initialized());
      v1::Decision& decision = *message.add_decisions();
      decision.set_revision(target.revision());
      decision.set_revision_uid(target.revision_uid());
      decision.set_desired(sleeps ? 0 : 1);
      decision.set_active(sleeps ? v1::ACTIVE_FALSE : v1::ACTIVE_TRUE);
      decision.set_initialized(target.ready() > 0 || target.initialized());
    }
    if (message.decisions_size() != 0 && !stream->Write(message)) break;
  }
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  std::string address;
  bool keep = false;
  CLI::App app("A node, an activator and an autoscaler for benchmarks of the controller");
  app.add_option("--controller", address)->required();
  app.add_flag("--keep", keep);
  CLI11_PARSE(app, argc, argv);
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(updraft::kMessageBytesMax);
  const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  grpc::ClientContext contexts[3];
  for (grpc::ClientContext& context : contexts) context.set_wait_for_ready(true);
  std::thread node([&] { updraft::RunNode(channel, contexts[0]); });
  std::thread activator([&] { updraft::RunActivator(channel, contexts[1]); });
  std::thread autoscaler([&] { updraft::RunAutoscaler(channel, contexts[2], keep); });
  for (std::string line; std::getline(std::cin, line);) {
  }
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  node.join();
  activator.join();
  autoscaler.join();
  return 0;
}
