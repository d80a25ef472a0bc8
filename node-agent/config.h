// What the node-agent is told when it starts.
#pragma once

#include <string>

#include "core/base/clock.h"

namespace updraft::node_agent {

struct Config {
  std::string controller = "unix:/run/updraft/controller.sock";    // NodeService
  std::string grpc_address = "unix:/run/updraft/node-agent.sock";  // AgentService
  std::string metrics_address = "127.0.0.1:9193";
  std::string containerd = "unix:/run/updraft/containerd/containerd.sock";
  std::string containerd_namespace = "updraft";
  std::string runtime_binary = "/usr/bin/crun";
  std::string state = "/var/lib/updraft/node-agent";  // what instances keep on disk while they live, logs
  std::string run = "/run/updraft/node-agent";        // namespaces, fifos, secrets
  std::string node;                                   // empty: the machine's name
  std::string bridge = "updraft0";
  std::string subnet = "10.89.0.0/16";
  std::string service_names;                          // address of a DNS server for them; empty: none
  std::string cgroup_parent = "/updraft";
  std::string registries;                             // registries.yaml; empty: none
  int instances_max = 1000;
  int networks_ready = 4;                             // held ahead of need
  bool stop_instances = false;                        // when this program is told to end
  bool teardown = false;                              // remove the node's network and end
  std::string log_level = "info";
};

}  // namespace updraft::node_agent
