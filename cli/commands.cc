#include "cli/commands.h"

#include <limits.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "cli/down.h"
#include "cli/restart.h"
#include "cli/status.h"
#include "cli/supervise/supervisor.h"
#include "cli/up.h"

namespace updraft::cli {
namespace {

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

std::string OwnFolder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

// The callbacks share ownership of what the parser writes into.
void AddUp(CLI::App& app, int& exit_code) {
  const auto owner = std::make_shared<PlatformConfig>();
  PlatformConfig& config = *owner;
  CLI::App* up = app.add_subcommand("up", "Start the platform on this machine");
  up->add_option("--run", config.run, "Folder for sockets and pids")->capture_default_str();
  up->add_option("--state", config.state, "Folder for specs, images and logs")->capture_default_str();
  up->add_option("--http-address", config.http_addresses, "Where services are reached (repeatable)");
  up->add_option("--https-address", config.https_addresses, "Where they are reached under TLS (repeatable)");
  up->add_option("--proxy-protocol", config.proxied_addresses,
                 "One of these addresses, where a load balancer connects with a PROXY header (repeatable)");
  up->add_option("--tls-cert", config.tls_certificates, "Certificate for hosts without one of their own (repeatable)")
      ->check(CLI::ExistingFile);
  up->add_option("--tls-key", config.tls_keys, "Private key of each --tls-cert")->check(CLI::ExistingFile);
  up->add_flag("--tls-redirect", config.tls_redirect, "Redirect requests in clear text to HTTPS");
  up->add_option("--api-address", config.api_address, "Where kubectl reaches the API")->capture_default_str();
  up->add_option("--controller-metrics", config.controller_metrics)->capture_default_str();
  up->add_option("--autoscaler-metrics", config.autoscaler_metrics)->capture_default_str();
  up->add_option("--activator-metrics", config.activator_metrics)->capture_default_str();
  up->add_option("--agent-metrics", config.agent_metrics)->capture_default_str();
  up->add_option("--domain", config.domain, "Services are NAME.NAMESPACE.DOMAIN")->capture_default_str();
  up->add_option("--node", config.node, "This machine's name")->default_val(HostName());
  up->add_option("--bridge", config.bridge, "Name of the instances' bridge")->capture_default_str();
  up->add_option("--subnet", config.subnet, "Addresses of instances")->capture_default_str();
  up->add_option("--inside-port", config.inside_port,
                 "Port at the bridge where instances reach services, cluster-local ones too; 0: nowhere")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  up->add_option("--cgroup-parent", config.cgroup_parent, "Cgroup of the instances")->capture_default_str();
  up->add_option("--registries", config.registries, "registries.yaml: endpoints and credentials of image registries");
  up->add_option("--autoscaler-config", config.autoscaler_config, "YAML with keys of Knative's config-autoscaler");
  up->add_option("--store", config.store, "Where specs are kept: etcd://HOST:PORT,... (default: SQLite in the state folder)");
  up->add_option("--store-ca", config.store_ca, "Who signed the certificates of etcd's servers")->check(CLI::ExistingFile);
  CLI::Option* store_cert =
      up->add_option("--store-cert", config.store_cert, "Certificate to show to etcd")->check(CLI::ExistingFile);
  CLI::Option* store_key = up->add_option("--store-key", config.store_key, "Its key")->check(CLI::ExistingFile);
  store_cert->needs(store_key);
  store_key->needs(store_cert);
  up->add_option("--runtime", config.runtime, "auto, crun or runc")->capture_default_str();
  up->add_option("--containerd", config.system_containerd, "Socket of a containerd to use instead of a private one");
  up->add_option("--log-level", config.log_level, "debug, info, warn or error")->capture_default_str();
  up->add_option("--access-log", config.access_log, "File for a line about each request");
  up->add_option("--access-log-template", config.access_log_template, "As Knative's request-log-template; default: JSON");
  up->add_option("--access-log-sample", config.access_log_sample, "Part of the requests that is logged")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  up->callback([owner, &exit_code] {
    owner->programs = OwnFolder();
    for (std::string& path : owner->tls_certificates) path = std::filesystem::absolute(path);
    for (std::string& path : owner->tls_keys) path = std::filesystem::absolute(path);
    for (std::string* path : {&owner->store_ca, &owner->store_cert, &owner->store_key})
      if (!path->empty()) *path = std::filesystem::absolute(*path);
    exit_code = Up(*owner);
  });
}

}  // namespace

void AddPlatformCommands(CLI::App& app, int& exit_code) {
  AddUp(app, exit_code);

  const auto run = std::make_shared<std::string>(PlatformConfig().run);
  CLI::App* status = app.add_subcommand("status", "Show what runs of the platform");
  status->add_option("--run", *run, "Folder given to up")->capture_default_str();
  status->callback([run, &exit_code] { exit_code = PrintStatus(*run); });

  const auto restart_options = std::make_shared<RestartOptions>();
  restart_options->run = *run;
  CLI::App* restart = app.add_subcommand("restart", "Start one program anew, without a request refused");
  restart->add_option("program", restart_options->program, "activator, autoscaler, controller or node-agent")->required();
  restart->add_option("--run", restart_options->run, "Folder given to up")->capture_default_str();
  restart->callback([restart_options, &exit_code] { exit_code = Restart(*restart_options); });

  const auto options = std::make_shared<DownOptions>();
  options->run = *run;
  CLI::App* down = app.add_subcommand("down", "Stop the platform and leave nothing running");
  down->add_option("--run", options->run, "Folder given to up")->capture_default_str();
  down->add_flag("--purge", options->purge, "Also remove specs, images and logs");
  down->callback([options, &exit_code] { exit_code = Down(*options); });

  CLI::App* supervise = app.add_subcommand("supervise", "");  // run by up and by no one else
  supervise->group("");
  supervise->add_option("--run", *run)->capture_default_str();
  supervise->callback([run, &exit_code] { exit_code = RunSupervisor(*run); });
}

}  // namespace updraft::cli
