// The activator: takes every user's request to an instance, and holds it while one starts.
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <atomic>

#include "activator/config.h"
#include "activator/process.h"
#include "core/base/log.h"

namespace updraft::activator {
namespace {

void AddFlags(CLI::App& app, Config& config) {
  app.add_option("--http-address", config.http_addresses, "Where users' requests arrive; repeatable")
      ->capture_default_str();
  app.add_option("--https-address", config.https_addresses, "Where they arrive under TLS; repeatable");
  app.add_option("--inside-address", config.inside_addresses,
                 "Where instances reach services, cluster-local ones too; repeatable");
  app.add_option("--dns-address", config.dns_address,
                 "Where instances ask (over UDP) for the names of services, which are at the same address");
  app.add_option("--proxy-protocol", config.proxied_addresses,
                 "One of these addresses, where a load balancer connects and begins with a PROXY header; repeatable");
  app.add_option("--tls-cert", config.tls_certificates,
                 "File with a certificate chain (PEM), read again when it changes; repeatable, the first is for hosts "
                 "that have no other");
  app.add_option("--tls-key", config.tls_keys, "File with the private key of each --tls-cert, in the same order");
  app.add_flag("--tls-redirect", config.tls_redirect, "Redirect requests in clear text to HTTPS, for all hosts");
  app.add_option("--https-port", config.https_port,
                 "Port at which users reach HTTPS, for redirects; default: that of the first --https-address")
      ->check(CLI::Range(0, 65535));
  app.add_option("--controller", config.controller, "Where the controller is")->capture_default_str();
  app.add_option("--autoscaler", config.autoscaler, "Where the autoscaler is")->capture_default_str();
  app.add_option("--metrics-address", config.metrics_address, "/metrics, /healthz, /readyz")->capture_default_str();
  app.add_option("--id", config.id, "Name of this activator, unique in the cluster; default: the host's");
  app.add_option("--workers", config.workers, "Threads that carry requests; 0: one per core")
      ->check(CLI::Range(0u, Revision::kWorkersMax));
  app.add_option("--queue-length-max", config.queue_length_max, "Requests that may wait for one revision")
      ->capture_default_str();
  app.add_option("--drain-seconds", config.drain_seconds, "Time for requests in flight to end, after SIGTERM or a hand-over")
      ->capture_default_str();
  app.add_option("--handover-socket", config.handover_socket,
                 "Take the listening sockets over from the activator that serves here, then wait here for the next one");
  app.add_option("--access-log", config.access_log, "File for a line about each request; -: standard output");
  app.add_option("--access-log-template", config.access_log_template,
                 "As Knative's logging.request-log-template; default: JSON");
  app.add_option("--access-log-sample", config.access_log_sample, "Part of the requests that is logged")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--log-level", config.log_level, "debug, info, warn or error")->capture_default_str();
}

int Fail(const std::string& doing, const Error& error) {
  Log(Level::kError, doing, {{"error", error.message}});
  return 1;
}

int Run(const Config& config) {
  const Result<Level> level = ParseLevel(config.log_level);
  StartLogging("activator", level ? *level : Level::kInfo);
  if (!level) return Fail("bad_flag", level.error());
  if (const Status status = CheckConfig(config); !status) return Fail("bad_flag", status.error());
  Result<Inheritance> inheritance = Inherit(config);
  if (!inheritance) return Fail("cannot_take_over", inheritance.error());
  const Result<std::unique_ptr<AccessLog>> access_log = OpenAccessLog(config);
  if (!access_log) return Fail("bad_access_log", access_log.error());

  grpc_init();  // for good: taking the library down at the end may wait long for a poller of its own

  Process process(config, *std::move(inheritance), **access_log);
  std::atomic<bool> ended{false};
  const NamedThread signals("signals", [&process, &ended] {
    WaitForTerminationSignal();
    process.loop().Post([&process] { process.Drain(); });
    if (ended) return;
    WaitForTerminationSignal();  // told twice: at once
    process.loop().Stop();
  });
  const int exit_code = process.Run();
  ended = true;
  kill(getpid(), SIGTERM);  // for the thread that waits for it
  Log(Level::kInfo, "stopped");
  return exit_code;
}

// A descriptor for each connection: as many as the system lets us have.
void UseAllDescriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace updraft::activator

int main(int argc, char** argv) {
  updraft::BlockTerminationSignals();
  updraft::activator::UseAllDescriptors();
  updraft::activator::Config config;
  CLI::App app("Takes every user's request to an instance, and holds it while one starts");
  updraft::activator::AddFlags(app, config);
  CLI11_PARSE(app, argc, argv);
  return updraft::activator::Run(config);
}
