// The controller: the API, the reconcilers, and which instance runs where.
#include <grpc/grpc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <optional>

#include "controller/assembly.h"
#include "controller/leadership.h"
#include "core/base/log.h"
#include "core/lease/process_mark.h"
#include "core/store/open_store.h"

namespace updraft::controller {
namespace {

constexpr std::string_view kSqlite = "sqlite:";
constexpr std::string_view kEtcd = "etcd:";
constexpr char kLeaderKey[] = "/updraft/leader";

void AddFlags(CLI::App& app, Config& config) {
  app.add_option("--api-address", config.api_address, "Where kubectl and kn connect")
      ->capture_default_str();
  app.add_option("--grpc-address", config.grpc_address,
                 "Where node-agents, activators and the autoscaler connect")
      ->capture_default_str();
  app.add_option("--metrics-address", config.metrics_address, "/metrics, /healthz, /readyz")
      ->capture_default_str();
  app.add_option("--store", config.store,
                 "sqlite:PATH, etcd://HOST:PORT,HOST:PORT.../PREFIX or memory:")
      ->capture_default_str();
  app.add_option("--store-ca", config.store_tls.ca,
                 "Who signed the certificates of etcd's servers; one of these flags means TLS");
  app.add_option("--store-cert", config.store_tls.cert, "Certificate to show to etcd")
      ->needs(app.add_option("--store-key", config.store_tls.key, "Its key"));
  app.get_option("--store-key")->needs("--store-cert");
  app.add_option("--domain", config.domain, "Domain of services: name.namespace.domain")
      ->capture_default_str();
  app.add_option("--http-port", config.http_port, "Port of the activators, for URLs")
      ->capture_default_str();
  app.add_option("--https-port", config.https_port, "The same for TLS")->capture_default_str();
  app.add_option("--log-level", config.log_level, "debug, info, warn or error")
      ->capture_default_str();
}

int Fail(const char* doing, const Error& error) {
  Log(Level::kError, doing, {{"error", error.message}});
  return 1;
}

// Secrets are in it: its folder is made for its owner alone.
Status MakeStoreFolder(const std::string& store) {
  if (!store.starts_with(kSqlite)) return Ok();
  const std::filesystem::path folder =
      std::filesystem::path(store.substr(kSqlite.size())).parent_path();
  std::error_code error;
  if (folder.empty() || std::filesystem::exists(folder, error)) return Ok();
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return Error{Code::kUnavailable, folder.string() + ": " + error.message()};
  return Ok();
}

// Reads the stores, makes the parts and starts them; stops the loop when that cannot be.
http::Task<void> Begin(Loop* loop, Stores* stores, const Config* config,
                       std::optional<Parts>* parts, lease::LedStore* led, int* exit_code) {
  const Status loaded = co_await stores->Load();
  if (!loaded) {
    *exit_code = Fail("cannot_load", loaded.error());
    loop->Stop();
    co_return;
  }
  parts->emplace(*loop, *stores, *config);
  if (led != nullptr) (*parts)->ActOnlyWhile([led] { return led->candidate().Leads(); });
  const Status started = co_await (*parts)->Start();
  if (started) co_return;
  *exit_code = Fail("cannot_start", started.error());
  loop->Stop();
}

// For people.
std::string IdentityOf(const Config& config) {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) name = {};
  return std::string(name.data()) + " " + config.api_address;
}

int Run(const Config& config) {
  const Result<Level> level = ParseLevel(config.log_level);
  StartLogging("controller", level ? *level : Level::kInfo);
  if (!level) return Fail("bad_flag", level.error());
  grpc_init();  // for good: taking the library down at the end may wait ten seconds for a poller of
                // its own

  // For good, too: a call to a node that ends with the process is told to it by gRPC's threads.
  static Loop& loop = *new Loop;
  const store::Post post = [](std::function<void()> callback) { loop.Post(std::move(callback)); };
  const Status folder = MakeStoreFolder(config.store);
  if (!folder) return Fail("cannot_open_store", folder.error());
  auto kept = store::OpenStore(config.store, RealClock(), post, config.store_tls);
  if (!kept) return Fail("cannot_open_store", kept.error());
  lease::LedStore* led = nullptr;  // a store that several controllers may have
  if (config.store.starts_with(kEtcd)) {
    auto store =
        std::make_unique<lease::LedStore>(std::move(*kept),
                                          lease::CandidateOptions{.key = kLeaderKey,
                                                                  .identity = IdentityOf(config),
                                                                  .mark = lease::OwnProcessMark(),
                                                                  .is_gone = lease::IsGone},
                                          RealClock(), post);
    led = store.get();
    *kept = std::move(store);
  }
  Stores stores(std::move(*kept), store::MakeSoftStore(RealClock(), post));

  int exit_code = 0;
  std::optional<Parts> parts;
  const auto begin = [&] { http::Spawn(Begin(&loop, &stores, &config, &parts, led, &exit_code)); };
  std::optional<Leadership> leadership;
  if (led == nullptr) {
    begin();
  } else {
    // Whatever was begun ends here: who supervises us starts us again, to stand by.
    leadership.emplace(loop, *led, begin, [] {
      std::_Exit(Fail("lead_lost", {Code::kUnavailable, "the lease was not renewed in time"}));
    });
    const Status standing_by = leadership->StandBy(config.metrics_address);
    if (!standing_by) return Fail("cannot_stand_by", standing_by.error());
  }
  const auto leave = [&] {
    if (!leadership) return loop.Stop();
    leadership->Resign([] { loop.Stop(); });
  };
  const NamedThread signals("signals", [&] {
    WaitForTerminationSignal();
    loop.Post([&] {
      if (!parts) return leave();
      parts->Drain(leave);
    });
  });
  loop.Run();
  if (exit_code != 0) std::_Exit(exit_code);  // the signals' thread still waits
  Log(Level::kInfo, "stopped");
  return 0;
}

}  // namespace
}  // namespace updraft::controller

int main(int argc, char** argv) {
  updraft::BlockTerminationSignals();
  updraft::controller::Config config;
  CLI::App app("The API, the reconcilers, and which instance runs where");
  updraft::controller::AddFlags(app, config);
  CLI11_PARSE(app, argc, argv);
  return updraft::controller::Run(config);
}
