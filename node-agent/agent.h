// The node-agent put together: who knows whom, and what happens in which order at the start and at the end.
#pragma once

#include <memory>
#include <string>

#include "core/base/loop.h"
#include "core/http/server.h"
#include "core/metrics/exposition.h"
#include "node-agent/config.h"
#include "node-agent/containerd/containerd_runtime.h"
#include "node-agent/image/image_store.h"
#include "node-agent/instance/claim_folders.h"
#include "node-agent/instance/disk_limits.h"
#include "node-agent/instance/instance_host.h"
#include "node-agent/instance/instance_logs.h"
#include "node-agent/instance/pool_networks.h"
#include "node-agent/instance/store_images.h"
#include "node-agent/metrics.h"
#include "node-agent/probe/network_probe_runner.h"
#include "node-agent/service/agent_service.h"
#include "node-agent/service/controller_link.h"

namespace updraft::node_agent {

// What has to be asked of the machine before the agent is made.
struct AgentGround {
  HostFacts host;
  v1::NodeHello hello;
  RegistriesConfig registries;
  std::unique_ptr<NetworkPool> networks;
};

// Blocks for some 50 ms. An error says why this machine cannot be a node.
Result<AgentGround> PrepareGround(Loop& loop, const Config& config);

// Loop thread only, or before the loop runs.
class Agent {
 public:
  Agent(Loop& loop, const Config& config, AgentGround ground);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Listens, and connects to containerd; to the controller when what runs here is known.
  Status Open();

  // Ends calls that wait. With --stop-instances `done` runs when nothing is left, else at once; what runs goes on.
  void Close(std::function<void()> done);

  AgentServer& service() { return service_; }

 private:
  InstanceTools Tools();
  InstanceHostCallbacks HostCallbacks();
  void OnHostReady();
  void ConnectController(const Result<std::string>& containerd_version);
  void StartInstance(const v1::InstanceSpec& spec);
  void OnReport(const v1::InstanceReport& report);
  v1::NodeStatus StatusNow() const;
  NodeFigures Figures() const;
  Status Ready() const;

  Loop& loop_;
  const Config config_;
  const HostFacts host_facts_;
  v1::NodeHello hello_;
  metrics::Exposition exposition_;
  Metrics metrics_;
  ContainerdClient client_;
  ContainerdRuntime runtime_;
  ImageStore image_store_;
  StoreImages images_;
  const std::unique_ptr<NetworkPool> network_pool_;
  PoolNetworks networks_;
  LogStore log_store_;
  InstanceLogs logs_;
  RunFiles files_;
  SpecSource specs_;
  TaskExecRunner execs_;
  ExecProcesses processes_;
  NetworkProbeRunner probes_;
  AdmissionGate gate_;
  InstanceHost host_;
  ClaimFolders claims_;
  DiskLimits disk_limits_;
  AgentServer service_;
  std::unique_ptr<ControllerLink> controller_;  // when the inventory is complete
  http::Server http_server_;
};

}  // namespace updraft::node_agent
