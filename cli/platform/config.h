// What one platform on one machine is made of: where it keeps things and which addresses it uses.
// Written to the run folder by `up`, so that every later command speaks of the same platform.
// Pure, but for Load and Save.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"

namespace updraft::cli {

struct PlatformConfig {
  std::string run = "/run/updraft";        // sockets, pids, namespaces: gone after `down`
  std::string state = "/var/lib/updraft";  // specs, images, logs: kept by `down`
  std::string programs;                    // folder of the four programs; absolute

  std::vector<std::string> http_addresses = {"127.0.0.1:8080", "[::1]:8080"};
  std::vector<std::string> https_addresses;    // the same under TLS
  std::vector<std::string> proxied_addresses;  // those of the above that a balancer connects to
  std::vector<std::string> tls_certificates;   // files; absolute
  std::vector<std::string> tls_keys;           // as many
  bool tls_redirect = false;
  std::string api_address = "127.0.0.1:6443";
  std::string controller_metrics = "127.0.0.1:9190";
  std::string autoscaler_metrics = "127.0.0.1:9191";
  std::string activator_metrics = "127.0.0.1:9192";
  std::string agent_metrics = "127.0.0.1:9193";

  std::string domain = "localhost";
  std::string node;                        // this machine's name
  std::string bridge = "updraft0";
  std::string subnet = "10.89.0.0/16";
  int inside_port = 80;                    // where instances reach services, at the bridge; 0: nowhere
  std::string cgroup_parent = "/updraft";
  std::string registries;                  // registries.yaml; empty: defaults
  std::string autoscaler_config;           // config-autoscaler keys as YAML; empty: defaults

  std::string system_containerd;           // socket of a containerd to use; empty: a private one
  std::string runtime = "auto";            // auto, crun or runc; after `up` the one in use
  std::string runtime_binary;              // absolute, set by `up`
  std::string runtime_reason;              // why that one, for the user
  bool hide_unified_cgroup = false;        // containerd and node-agent run without the cgroup2 mount
  std::string log_level = "info";
  std::string access_log;                  // the activator's: a file; empty: none
  std::string access_log_template;         // empty: JSON
  double access_log_sample = 1;            // of all requests
  std::string store;                       // the controller's; empty: SQLite in the state folder
  std::string store_ca;                    // files, absolute
  std::string store_cert;
  std::string store_key;
};

// Paths that follow from the configuration.
struct PlatformPaths {
  explicit PlatformPaths(const PlatformConfig& config);
  std::string config_file;         // RUN/platform.json
  std::string status_file;         // RUN/status.json, written by the supervisor
  std::string lock_file;           // RUN/supervisor.lock, held while a supervisor lives
  std::string pids;                // RUN/pids/<program>
  std::string mount_namespace;     // RUN/ns/mnt, where containerd and node-agent live
  std::string containerd_socket;
  std::string containerd_config;
  std::string controller_socket;
  std::string autoscaler_socket;
  std::string agent_socket;
  std::string handover_socket;     // where an activator waits for the next
  std::string logs;                // STATE/logs/<program>.log
  std::string kubeconfig;          // STATE/kubeconfig
};

// The folder as /run/NAME decides the platform; kNotFound when no platform is up there.
Result<PlatformConfig> LoadPlatform(const std::string& run);
Status SavePlatform(const PlatformConfig& config);

// The bridge's own address in the instances' subnet, where they reach services; empty: the subnet
// is none.
std::string InsideAddress(const PlatformConfig& config);

std::string Kubeconfig(const PlatformConfig& config);

// containerd's configuration: own root, state and socket, and no plugin that Updraft has no use for.
std::string ContainerdConfig(const PlatformConfig& config);

}  // namespace updraft::cli
