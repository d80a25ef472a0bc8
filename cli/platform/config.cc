#include "cli/platform/config.h"

#include <arpa/inet.h>

#include <nlohmann/json.hpp>

#include "cli/platform/files.h"

namespace updraft::cli {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PlatformConfig, run, state, programs, http_addresses, https_addresses,
                                                proxied_addresses, tls_certificates, tls_keys, tls_redirect, api_address,
                                                controller_metrics, autoscaler_metrics, activator_metrics,
                                                agent_metrics, domain, node, bridge, subnet, inside_port, cgroup_parent, registries,
                                                autoscaler_config, system_containerd, runtime, runtime_binary,
                                                runtime_reason, hide_unified_cgroup, log_level, access_log,
                                                access_log_template, access_log_sample, store, store_ca, store_cert,
                                                store_key)

PlatformPaths::PlatformPaths(const PlatformConfig& config)
    : config_file(config.run + "/platform.json"),
      status_file(config.run + "/status.json"),
      lock_file(config.run + "/supervisor.lock"),
      pids(config.run + "/pids"),
      mount_namespace(config.run + "/ns/mnt"),
      containerd_socket(config.system_containerd.empty() ? config.run + "/containerd/containerd.sock"
                                                         : config.system_containerd),
      containerd_config(config.run + "/containerd/config.toml"),
      controller_socket(config.run + "/controller.sock"),
      autoscaler_socket(config.run + "/autoscaler.sock"),
      agent_socket(config.run + "/node-agent.sock"),
      handover_socket(config.run + "/activator-handover.sock"),
      logs(config.state + "/logs"),
      kubeconfig(config.state + "/kubeconfig") {}

Result<PlatformConfig> LoadPlatform(const std::string& run) {
  PlatformConfig where;
  where.run = run;
  Result<std::string> text = ReadFile(PlatformPaths(where).config_file);
  if (!text) return Error{Code::kNotFound, "no platform is up in " + run};
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Error{Code::kInternal, PlatformPaths(where).config_file + " is damaged"};
  try {
    return json.get<PlatformConfig>();
  } catch (const nlohmann::json::exception& e) {
    return Error{Code::kInternal, PlatformPaths(where).config_file + " is damaged: " + e.what()};
  }
}

Status SavePlatform(const PlatformConfig& config) {
  return WriteFile(PlatformPaths(config).config_file, nlohmann::json(config).dump(2) + "\n", 0644);
}

std::string InsideAddress(const PlatformConfig& config) {
  const size_t slash = config.subnet.find('/');
  in_addr network{};
  if (inet_pton(AF_INET, config.subnet.substr(0, slash).c_str(), &network) != 1) return "";
  network.s_addr = htonl(ntohl(network.s_addr) + 1);
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &network, text, sizeof text) == nullptr ? "" : text;
}

std::string Kubeconfig(const PlatformConfig& config) {
  return "apiVersion: v1\n"
         "kind: Config\n"
         "clusters:\n"
         "- name: updraft\n"
         "  cluster:\n"
         "    server: http://" + config.api_address + "\n"
         "users:\n"
         "- name: admin\n"
         "  user: {}\n"
         "contexts:\n"
         "- name: updraft\n"
         "  context:\n"
         "    cluster: updraft\n"
         "    user: admin\n"
         "    namespace: default\n"
         "current-context: updraft\n";
}

std::string ContainerdConfig(const PlatformConfig& config) {
  return "version = 2\n"
         "root = \"" + config.state + "/containerd\"\n"
         "state = \"" + config.run + "/containerd\"\n"
         // Everything that only Kubernetes' kubelet, other snapshotters or metrics scrapers would use.
         "disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.snapshotter.v1.aufs\",\n"
         "  \"io.containerd.snapshotter.v1.btrfs\", \"io.containerd.snapshotter.v1.devmapper\",\n"
         "  \"io.containerd.snapshotter.v1.zfs\", \"io.containerd.internal.v1.opt\",\n"
         "  \"io.containerd.tracing.processor.v1.otlp\", \"io.containerd.internal.v1.tracing\"]\n"
         "oom_score = 0\n"
         "[grpc]\n"
         "  address = \"" + PlatformPaths(config).containerd_socket + "\"\n"
         "[debug]\n"
         "  level = \"warn\"\n"
         // Its default collects garbage 100 ms after a deletion, beside the start of the next instance.
         "[plugins.\"io.containerd.gc.v1.scheduler\"]\n"
         "  startup_delay = \"5s\"\n"
         "  schedule_delay = \"2s\"\n";
}

}  // namespace updraft::cli
