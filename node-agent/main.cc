// The node-agent: turns the controller's decisions into containers on this machine.
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <future>

#include "core/base/log.h"
#include "node-agent/agent.h"
#include "node-agent/config.h"
#include "node-agent/network/teardown.h"

namespace updraft::node_agent {
namespace {

constexpr Nanos kServerGrace = Millis(500);
constexpr int kMessageBytesMax = 64 << 20;  // of an archive's part, or a list of images

void AddFlags(CLI::App& app, Config& config) {
  app.add_option("--controller", config.controller, "Where the controller is")->capture_default_str();
  app.add_option("--grpc-address", config.grpc_address, "Where logs and images are asked for")->capture_default_str();
  app.add_option("--metrics-address", config.metrics_address, "/metrics, /healthz, /readyz")->capture_default_str();
  app.add_option("--containerd", config.containerd, "Where containerd is")->capture_default_str();
  app.add_option("--containerd-namespace", config.containerd_namespace, "Namespace in containerd")
      ->capture_default_str();
  app.add_option("--runtime-binary", config.runtime_binary, "crun or runc")->capture_default_str();
  app.add_option("--state", config.state, "Folder on disk: logs, volumes")->capture_default_str();
  app.add_option("--run", config.run, "Folder that a reboot may empty: namespaces, secrets")->capture_default_str();
  app.add_option("--node", config.node, "Name of this node, unique in the cluster; default: the host's");
  app.add_option("--bridge", config.bridge, "Bridge that instances are on")->capture_default_str();
  app.add_option("--subnet", config.subnet, "Addresses of instances")->capture_default_str();
  app.add_option("--service-names", config.service_names,
                 "Address of a DNS server that knows services, asked first by instances");
  app.add_option("--cgroup-parent", config.cgroup_parent, "Cgroup of all instances")->capture_default_str();
  app.add_option("--registries", config.registries, "YAML: where registries are and how to speak to them");
  app.add_option("--instances-max", config.instances_max, "Instances that this node takes")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--networks-ready", config.networks_ready, "Networks held ahead of need")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000));
  app.add_flag("--stop-instances", config.stop_instances, "Stop all instances when this program is told to end");
  app.add_flag("--teardown", config.teardown, "Remove the network of --bridge and --run, and end");
  app.add_option("--log-level", config.log_level, "debug, info, warn or error")->capture_default_str();
}

int Fail(const std::string& doing, const Error& error) {
  Log(Level::kError, doing, {{"error", error.message}});
  return 1;
}

std::unique_ptr<grpc::Server> Serve(const std::string& address, AgentServer& service) {
  constexpr std::string_view kUnix = "unix:";
  if (address.starts_with(kUnix)) unlink(address.c_str() + kUnix.size());  // a dead agent's
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.RegisterService(&service);
  return builder.BuildAndStart();
}

int Run(const Config& config) {
  const Result<Level> level = ParseLevel(config.log_level);
  StartLogging("node-agent", level ? *level : Level::kInfo);
  if (!level) return Fail("bad_flag", level.error());
  if (config.teardown) {
    const Status removed = TearDownNetwork({.bridge = config.bridge, .run = config.run});
    return removed ? 0 : Fail("network_not_removed", removed.error());
  }

  grpc_init();  // for good: taking the library down at the end may wait long for a poller of its own
  Loop loop;
  Result<AgentGround> ground = PrepareGround(loop, config);
  if (!ground) return Fail("cannot_start", ground.error());
  Agent agent(loop, config, std::move(*ground));
  if (Status opened = agent.Open(); !opened) return Fail("cannot_start", opened.error());
  const std::unique_ptr<grpc::Server> server = Serve(config.grpc_address, agent.service());
  if (!server) return Fail("cannot_listen", {Code::kUnavailable, config.grpc_address});

  const NamedThread signals("signals", [&loop, &agent, &server] {
    WaitForTerminationSignal();
    Log(Level::kInfo, "stopping");
    std::promise<void> closed;
    loop.Post([&agent, &closed] { agent.Close([&closed] { closed.set_value(); }); });
    closed.get_future().wait();
    // While the loop still runs: what is left of calls ends there.
    server->Shutdown(std::chrono::time_point_cast<std::chrono::system_clock::duration>(RealClock().Wall() + kServerGrace));
    loop.Stop();
  });
  loop.Run();
  return 0;
}

}  // namespace
}  // namespace updraft::node_agent

int main(int argc, char** argv) {
  updraft::BlockTerminationSignals();
  updraft::node_agent::Config config;
  CLI::App app("Turns the controller's decisions into containers on this machine");
  updraft::node_agent::AddFlags(app, config);
  CLI11_PARSE(app, argc, argv);
  return updraft::node_agent::Run(config);
}
