#include "cli/platform/programs.h"

namespace updraft::cli {
namespace {

Program Containerd(const PlatformPaths& paths) {
  return {.name = "containerd",
          .argv = {"/usr/bin/containerd", "--config", paths.containerd_config},
          .in_mount_namespace = true,
          .ready_address = "",
          .ready_socket = paths.containerd_socket};
}

std::string PortOf(const std::string& address) { return address.substr(address.rfind(':') + 1); }

Program Controller(const PlatformConfig& config, const PlatformPaths& paths) {
  Program program = {.name = "controller",
          .argv = {config.programs + "/controller",
                   "--api-address", config.api_address,
                   "--grpc-address", "unix:" + paths.controller_socket,
                   "--metrics-address", config.controller_metrics,
                   "--store", config.store.empty() ? "sqlite:" + config.state + "/controller/store.db" : config.store,
                   "--domain", config.domain,
                   "--http-port", PortOf(config.http_addresses.front()),
                   "--log-level", config.log_level},
          .in_mount_namespace = false,
          .ready_address = config.controller_metrics,
          .ready_socket = ""};
  if (!config.https_addresses.empty())
    program.argv.insert(program.argv.end(), {"--https-port", PortOf(config.https_addresses.front())});
  if (!config.store_ca.empty()) program.argv.insert(program.argv.end(), {"--store-ca", config.store_ca});
  if (!config.store_cert.empty())
    program.argv.insert(program.argv.end(), {"--store-cert", config.store_cert, "--store-key", config.store_key});
  return program;
}

Program Autoscaler(const PlatformConfig& config, const PlatformPaths& paths) {
  Program program = {.name = "autoscaler",
                     .argv = {config.programs + "/autoscaler",
                              "--grpc-address", "unix:" + paths.autoscaler_socket,
                              "--controller", "unix:" + paths.controller_socket,
                              "--metrics-address", config.autoscaler_metrics,
                              "--log-level", config.log_level},
                     .in_mount_namespace = false,
                     .ready_address = config.autoscaler_metrics,
                     .ready_socket = ""};
  if (!config.autoscaler_config.empty()) {
    program.argv.insert(program.argv.end(), {"--config", config.autoscaler_config});
  }
  return program;
}

Program Activator(const PlatformConfig& config, const PlatformPaths& paths) {
  Program program = {.name = "activator",
                     .argv = {config.programs + "/activator",
                              "--controller", "unix:" + paths.controller_socket,
                              "--autoscaler", "unix:" + paths.autoscaler_socket,
                              "--metrics-address", config.activator_metrics,
                              "--handover-socket", paths.handover_socket,
                              "--log-level", config.log_level},
                     .in_mount_namespace = false,
                     .ready_address = config.activator_metrics,
                     .ready_socket = "",
                     .hands_over = true};
  const auto add = [&program](const char* flag, const std::vector<std::string>& values) {
    for (const std::string& value : values) program.argv.insert(program.argv.end(), {flag, value});
  };
  add("--http-address", config.http_addresses);
  add("--https-address", config.https_addresses);
  add("--proxy-protocol", config.proxied_addresses);
  add("--tls-cert", config.tls_certificates);
  add("--tls-key", config.tls_keys);
  if (config.tls_redirect) program.argv.emplace_back("--tls-redirect");
  if (const std::string inside = InsideAddress(config); config.inside_port != 0 && !inside.empty()) {
    program.argv.insert(program.argv.end(), {"--inside-address", inside + ":" + std::to_string(config.inside_port),
                                             "--dns-address", inside + ":53"});
  }
  if (!config.access_log.empty()) {
    program.argv.insert(program.argv.end(), {"--access-log", config.access_log, "--access-log-sample",
                                             std::to_string(config.access_log_sample)});
  }
  if (!config.access_log_template.empty()) {
    program.argv.insert(program.argv.end(), {"--access-log-template", config.access_log_template});
  }
  return program;
}

Program NodeAgent(const PlatformConfig& config, const PlatformPaths& paths) {
  Program program = {.name = "node-agent",
                     .argv = {config.programs + "/node-agent",
                              "--controller", "unix:" + paths.controller_socket,
                              "--grpc-address", "unix:" + paths.agent_socket,
                              "--containerd", "unix:" + paths.containerd_socket,
                              "--runtime-binary", config.runtime_binary,
                              "--state", config.state + "/node-agent",
                              "--run", config.run + "/node-agent",
                              "--node", config.node,
                              "--bridge", config.bridge,
                              "--subnet", config.subnet,
                              "--cgroup-parent", config.cgroup_parent,
                              "--metrics-address", config.agent_metrics,
                              "--log-level", config.log_level},
                     .in_mount_namespace = true,
                     .ready_address = config.agent_metrics,
                     .ready_socket = ""};
  if (const std::string inside = InsideAddress(config); config.inside_port != 0 && !inside.empty()) {
    program.argv.insert(program.argv.end(), {"--service-names", inside});
  }
  if (!config.registries.empty()) program.argv.insert(program.argv.end(), {"--registries", config.registries});
  return program;
}

}  // namespace

std::vector<Program> ProgramsOf(const PlatformConfig& config) {
  const PlatformPaths paths(config);
  std::vector<Program> programs;
  if (config.system_containerd.empty()) programs.push_back(Containerd(paths));
  programs.push_back(NodeAgent(config, paths));
  programs.push_back(Controller(config, paths));
  programs.push_back(Autoscaler(config, paths));
  programs.push_back(Activator(config, paths));
  if (!config.system_containerd.empty()) {
    for (Program& program : programs) program.in_mount_namespace = false;
  }
  return programs;
}

}  // namespace updraft::cli
