// The activator: takes every user's request to an instance, and holds it while one starts.
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "activator/config.h"
#include "activator/control.h"
#include "activator/worker_pool.h"
#include "core/base/log.h"
#include "core/http/server.h"
#include "core/metrics/exposition.h"

namespace updraft::activator {
namespace {

// Given to what is left of connections to be closed once the drain's time is over.
constexpr Nanos kCutSlack = Seconds(1);

void AddFlags(CLI::App& app, Config& config) {
  app.add_option("--http-address", config.http_addresses, "Where users' requests arrive; repeatable")
      ->capture_default_str();
  app.add_option("--controller", config.controller, "Where the controller is")->capture_default_str();
  app.add_option("--autoscaler", config.autoscaler, "Where the autoscaler is")->capture_default_str();
  app.add_option("--metrics-address", config.metrics_address, "/metrics, /healthz, /readyz")->capture_default_str();
  app.add_option("--id", config.id, "Name of this activator, unique in the cluster; default: the host's");
  app.add_option("--workers", config.workers, "Threads that carry requests; 0: one per core")
      ->check(CLI::Range(0u, Revision::kWorkersMax));
  app.add_option("--queue-length-max", config.queue_length_max, "Requests that may wait for one revision")
      ->capture_default_str();
  app.add_option("--drain-seconds", config.drain_seconds, "Time for requests in flight to end, after SIGTERM")
      ->capture_default_str();
  app.add_option("--log-level", config.log_level, "debug, info, warn or error")->capture_default_str();
}

std::string HostsName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "activator";
  return name.data();
}

WorkerPoolOptions PoolOptions(const Config& config) {
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1u, Revision::kWorkersMax);
  return {.workers = config.workers == 0 ? cores : config.workers,
          .limits = {.queue_length_max = config.queue_length_max}};
}

ControlOptions ControlOptionsOf(const Config& config) {
  return {.activator_id = config.id.empty() ? HostsName() : config.id,
          .version = UPDRAFT_VERSION,
          .controller = config.controller,
          .autoscaler = config.autoscaler};
}

int Fail(const std::string& doing, const Error& error) {
  Log(Level::kError, doing, {{"error", error.message}});
  return 1;
}

int Run(const Config& config) {
  const Result<Level> level = ParseLevel(config.log_level);
  StartLogging("activator", level ? *level : Level::kInfo);
  if (!level) return Fail("bad_flag", level.error());

  grpc_init();  // for good: taking the library down at the end may wait long for a poller of its own

  Loop loop;
  metrics::Exposition exposition("activator");
  int exit_code = 0;
  WorkerPool* listeners = nullptr;
  // Nobody is let in before the routes are known: a request then would be told that there is nothing.
  const auto listen = [&config, &listeners, &loop, &exit_code] {
    const Status status = listeners->Listen(config.http_addresses);
    if (status) return;
    exit_code = Fail("cannot_listen", status.error());
    loop.Stop();
  };
  Control control(loop, RealClock(), ControlOptionsOf(config), exposition, listen);
  WorkerPool pool(PoolOptions(config), control);
  listeners = &pool;
  control.Start(pool.workers(), pool.counters());

  http::Server http_server(loop, {}, metrics::OperationsHandler(exposition, [&control] { return control.Ready(); }));
  if (const auto port = http_server.Listen(config.metrics_address); !port) return Fail("cannot_listen", port.error());

  const auto drain = [&config, &control, &pool, &loop] {
    Log(Level::kInfo, "draining", {{"seconds_max", config.drain_seconds}});
    control.StopServing();
    const TimePoint deadline = loop.Now() + Seconds(config.drain_seconds);
    pool.Drain(deadline, [&loop] { loop.Stop(); });
    loop.At(deadline + kCutSlack, [&loop] { loop.Stop(); });
  };
  std::atomic<bool> ended{false};
  const NamedThread signals("signals", [&loop, &drain, &ended] {
    WaitForTerminationSignal();
    loop.Post(drain);
    if (ended) return;
    WaitForTerminationSignal();  // told twice: at once
    loop.Stop();
  });
  loop.Run();
  ended = true;
  kill(getpid(), SIGTERM);  // for the thread that waits for it
  Log(Level::kInfo, "stopped");
  return exit_code;
}

}  // namespace
}  // namespace updraft::activator

int main(int argc, char** argv) {
  updraft::BlockTerminationSignals();
  updraft::activator::Config config;
  CLI::App app("Takes every user's request to an instance, and holds it while one starts");
  updraft::activator::AddFlags(app, config);
  CLI11_PARSE(app, argc, argv);
  return updraft::activator::Run(config);
}
