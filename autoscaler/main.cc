// The autoscaler: decides how many instances each revision should have.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>

#include "autoscaler/config.h"
#include "autoscaler/service.h"
#include "core/base/log.h"
#include "core/http/server.h"
#include "core/metrics/exposition.h"
#include "core/rpc/link.h"

namespace updraft::autoscaler {
namespace {

void AddFlags(CLI::App& app, Config& config) {
  app.add_option("--grpc-address", config.grpc_address, "Where activators report")->capture_default_str();
  app.add_option("--controller", config.controller, "Where the controller is")->capture_default_str();
  app.add_option("--metrics-address", config.metrics_address, "/metrics, /healthz, /readyz")->capture_default_str();
  app.add_option("--config", config.defaults_file, "YAML with keys of config-autoscaler");
  app.add_option("--log-level", config.log_level, "debug, info, warn or error")->capture_default_str();
}

int Fail(const std::string& doing, const Error& error) {
  Log(Level::kError, doing, {{"error", error.message}});
  return 1;
}

int Run(const Config& config) {
  const Result<Level> level = ParseLevel(config.log_level);
  StartLogging("autoscaler", level ? *level : Level::kInfo);
  if (!level) return Fail("bad_flag", level.error());

  std::map<std::string, std::string> errors;
  Defaults defaults;
  if (!config.defaults_file.empty()) {
    const auto keys = ReadDefaultsFile(config.defaults_file);
    if (!keys) return Fail("bad_config", keys.error());
    defaults = ParseDefaults(*keys, errors);
  }
  for (const auto& [key, what] : errors) Log(Level::kWarn, "config_key_ignored", {{"key", key}, {"error", what}});

  Loop loop;
  metrics::Exposition exposition("autoscaler");
  Metrics shown(exposition);
  Service service(loop, shown, defaults, errors, config.controller);
  LoadServer loads(loop, service);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(config.grpc_address, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(rpc::kMessageBytesMax);  // the load of all revisions, when there are many
  builder.RegisterService(&loads);
  const std::unique_ptr<grpc::Server> grpc_server = builder.BuildAndStart();
  if (!grpc_server) return Fail("cannot_listen", {Code::kUnavailable, config.grpc_address});

  http::Server http_server(loop, {}, metrics::OperationsHandler(exposition, [&service] { return service.Ready(); }));
  if (const auto port = http_server.Listen(config.metrics_address); !port) return Fail("cannot_listen", port.error());

  const NamedThread signals("signals", [&loop] {
    WaitForTerminationSignal();
    loop.Stop();
  });
  loop.Run();
  grpc_server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  return 0;
}

}  // namespace
}  // namespace updraft::autoscaler

int main(int argc, char** argv) {
  updraft::BlockTerminationSignals();
  updraft::autoscaler::Config config;
  CLI::App app("Decides how many instances each revision should have");
  updraft::autoscaler::AddFlags(app, config);
  CLI11_PARSE(app, argc, argv);
  return updraft::autoscaler::Run(config);
}
