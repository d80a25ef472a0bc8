#include "controller/assembly.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "controller/reconcile/gateway_services.h"
#include "controller/reconcile/keys.h"
#include "core/api/names.h"
#include "core/api/timestamp.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr Nanos kDrainTime = Millis(500);
constexpr Nanos kPruneEvery = std::chrono::minutes(5);
// Of clients that do not read: whoever pages through a command's output may look at one page for a
// while.
constexpr Nanos kReaderPatience = std::chrono::minutes(10);
constexpr int kMessageBytesMax = 64 << 20;  // an inventory of a full node, with its specs
constexpr int kKeepaliveMillis = 20'000;

std::mt19937_64 Seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

FleetOptions FleetOptionsOf(const KnownNodes& known_nodes) {
  FleetOptions options;
  options.expected_nodes = known_nodes.Names();
  return options;
}

ServingConfig ServingConfigOf(const Config& config) {
  ServingConfig serving;
  serving.domain = config.domain;
  serving.http_port = config.http_port;
  serving.https_port = config.https_port;
  return serving;
}

// A unix socket's folder may not be there yet.
Status MakeFolderOf(const std::string& address) {
  if (!address.starts_with(kUnix)) return Ok();
  const std::filesystem::path folder =
      std::filesystem::path(address.substr(kUnix.size())).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{Code::kUnavailable, folder.string() + ": " + error.message()};
  return Ok();
}

std::unique_ptr<grpc::Server> StartGrpc(const std::string& address,
                                        std::initializer_list<grpc::Service*> services) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMillis / 2);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Peers may send keepalives of their own as often as once in five seconds.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  for (grpc::Service* service : services) builder.RegisterService(service);
  return builder.BuildAndStart();
}

}  // namespace

http::Task<Status> Stores::Load() {
  const Status durable_loaded = co_await durable.Load();
  if (!durable_loaded) co_return durable_loaded.error();
  co_return co_await soft.Load();
}

Parts::Parts(Loop& loop, Stores& stores, const Config& config)
    : loop_(loop),
      stores_(stores),
      config_(config),
      serving_(ServingConfigOf(config)),
      random_(Seeded()),
      known_nodes_(
          stores.durable, stores.soft,
          [this](Nanos after, std::function<void()> then) { loop_.After(after, std::move(then)); }),
      fleet_(
          FleetOptionsOf(known_nodes_), [this] { return random_(); }, RealClock().Now()),
      fleet_loop_(loop, RealClock(), fleet_),
      nodes_(loop, fleet_loop_,
             [this](const v1::NodeHello& hello) {
               known_nodes_.OnHello(hello);
               claims_.OnHello(hello.node());
             }),
      claims_(stores.durable, nodes_),
      known_activators_(
          stores.durable,
          [this](Nanos after, std::function<void()> then) { loop_.After(after, std::move(then)); },
          [this](const std::string& lineage) { routing_.OnRemembered(lineage); }),
      routing_(
          loop, fleet_loop_,
          [this](const std::string& key) {
            const size_t slash = key.find('/');
            reconcile_.RouteChanged(key.substr(0, slash), key.substr(slash + 1));
          },
          &known_activators_, known_activators_.Lineages()),
      decisions_(loop, fleet_loop_, [this](const auto& errors) { OnConfigErrors(errors); }),
      reports_(fleet_loop_),
      images_(nodes_),
      logs_(fleet_loop_, nodes_),
      sessions_(fleet_loop_, nodes_),
      reconcile_(Surroundings(), serving_),
      revisions_(stores.durable, fleet_loop_),
      routes_(stores.durable, routing_, serving_),
      autoscaler_config_(stores.durable, decisions_),
      mappings_(stores.durable, routing_, serving_),
      config_maps_(stores.durable, [this](const auto& maps) { OnConfig(maps); }),
      mirror_(
          loop, fleet_loop_, stores.soft,
          [this](const RevisionKey& key) {
            const size_t slash = key.find('/');
            const auto stored = stores_.durable.Get(
                {resource::kRevisions, key.substr(0, slash), key.substr(slash + 1)});
            return stored ? stored->object : nullptr;
          },
          [this](const InstanceEvent& event, const Json& pod) { Record(event, pod); }),
      exposition_("controller"),
      metrics_(exposition_, fleet_loop_, [this] { return Figures(); }),
      api_(
          loop,
          [this](const api::Kind& kind) -> ObjectStore& {
            return kind.soft ? stores_.soft : stores_.durable;
          },
          logs_, ApiOptions()),
      api_http_(loop, {.write_timeout = kReaderPatience},
                [this](http::Exchange& exchange) { return api_.Handle(exchange); }),
      metrics_http_(loop, {}, metrics::OperationsHandler(exposition_, ApiOptions().ready)) {
  ShowLeads(exposition_, true);
}

Parts::~Parts() {
  loop_.Cancel(prune_timer_);
  // Streams end before those who are told of them.
  if (grpc_server_) grpc_server_->Shutdown(std::chrono::system_clock::time_point());
}

http::Task<Status> Parts::Start() {
  // Those that a request waits for come first.
  fleet_loop_.Add(nodes_);
  fleet_loop_.Add(routing_);
  fleet_loop_.Add(decisions_);
  fleet_loop_.Add(reports_);
  fleet_loop_.Add(metrics_);
  fleet_loop_.Add(mirror_);
  known_nodes_.Start(fleet_loop_);
  claims_.Start();
  const Status prepared = co_await api_.Prepare();
  if (!prepared) co_return prepared.error();
  http::Task<Status> keeping = KeepGatewayServices();
  const Status kept = co_await keeping;
  if (!kept) co_return kept.error();
  OnConfig(config_maps_.Read());
  config_maps_.Start();
  revisions_.Start();
  routes_.Start();
  autoscaler_config_.Start();
  mappings_.Start();
  reports_.Start(
      [this](std::string_view ns, std::string_view name) { reconcile_.RevisionChanged(ns, name); });
  reconcile_.Start();
  PruneEvents();
  co_return Listen();
}

http::Task<Status> Parts::KeepGatewayServices() {
  std::vector<std::pair<ObjectKey, Json>> services = GatewayServices(serving_);
  for (auto& [key, wanted] : services) {
    const auto stored = stores_.durable.Get(key);
    Result<Stored> kept = Error{};
    if (stored) {
      Json service = *stored->object;
      service["spec"] = std::move(wanted["spec"]);
      service["status"] = std::move(wanted["status"]);
      kept = co_await stores_.durable.Update(std::move(key), std::move(service), stored->revision);
    } else {
      wanted["metadata"]["uid"] = api::MakeUid(random_(), random_());
      wanted["metadata"]["creationTimestamp"] = api::FormatTimestamp(RealClock().Wall());
      kept = co_await stores_.durable.Create(std::move(key), std::move(wanted));
    }
    if (!kept) co_return kept.error();
  }
  co_return Ok();
}

Status Parts::Listen() {
  Status folder = MakeFolderOf(config_.grpc_address);
  if (!folder) return folder;
  grpc_server_ = StartGrpc(config_.grpc_address, {&nodes_, &routing_, &decisions_});
  if (!grpc_server_) return Error{Code::kUnavailable, "cannot listen on " + config_.grpc_address};
  const auto api_port = api_http_.Listen(config_.api_address);
  if (!api_port) return Context(config_.api_address, api_port.error());
  const auto metrics_port = metrics_http_.Listen(config_.metrics_address);
  if (!metrics_port) return Context(config_.metrics_address, metrics_port.error());
  serving_started_ = true;
  Log(Level::kInfo, "serving",
      {{"api", config_.api_address}, {"grpc", config_.grpc_address}, {"api_port", *api_port}});
  return Ok();
}

void Parts::Drain(std::function<void()> done) {
  serving_started_ = false;
  metrics_http_.Drain(loop_.Now(), [] {});
  api_http_.Drain(loop_.Now() + kDrainTime, std::move(done));
}

ReconcileSurroundings Parts::Surroundings() {
  return {.objects = stores_.durable,
          .soft = stores_.soft,
          .clock = RealClock(),
          .random = [this] { return random_(); },
          .images = images_,
          .revisions = reports_,
          .routes = routing_,
          .post = [this](std::function<void()> callback) { loop_.Post(std::move(callback)); },
          .wake_at =
              [this](TimePoint when) {
                loop_.At(when, [this, life = std::weak_ptr(life_)] {
                  if (!life.expired()) reconcile_.Wake();
                });
              }};
}

ApiServerOptions Parts::ApiOptions() {
  ApiServerOptions options;
  options.evict = [this](const std::string& pod) {
    bool found = false;
    fleet_loop_.Change([&](Fleet& fleet, Moment) { found = fleet.Evict(pod); });
    return found;
  };
  options.sessions = &sessions_;
  options.ready = [this]() -> Status {
    if (serving_started_) return Ok();
    return Error{Code::kUnavailable, "not serving"};
  };
  options.on_call = [this](const CallRecord& call) {
    if (call.code != 0)
      metrics_.OnApiRequest(call.verb.empty() ? "other" : std::string(call.verb), call.code,
                            call.took);
  };
  return options;
}

ControllerFigures Parts::Figures() const {
  const ReconcileCounts counts = reconcile_.counts();
  return {.reconciles = counts.passes,
          .reconcile_conflicts = counts.conflicts,
          .reconcile_failures = counts.failures,
          .reconciles_waiting = counts.waiting,
          .reconciles_running = counts.running,
          .activators = routing_.activator_count(),
          .autoscaler_connected = decisions_.connected()};
}

void Parts::Record(const InstanceEvent& event, const Json& pod) {
  const bool warning = event.type == InstanceEvent::Type::kWarning;
  const bool ours = event.reason == "Scheduled" || event.reason == "FailedScheduling";
  reconcile_.events().Record(
      pod,
      {.type = warning ? RecordEvent::Type::kWarning : RecordEvent::Type::kNormal,
       .reason = event.reason,
       .message = event.message},
      ours ? "updraft-controller" : "updraft-node-agent");
}

void Parts::PruneEvents() {
  reconcile_.events().Prune();
  prune_timer_ = loop_.After(kPruneEvery, [this] { PruneEvents(); });
}

void Parts::OnConfig(const api::ServingConfig& maps) {
  const ServingConfig serving = WithConfigMaps(serving_, maps);
  v1::RequestLog request_log;
  request_log.set_enabled(maps.observability.request_log);
  request_log.set_format(maps.observability.request_log_template);
  routing_.SetRequestLog(request_log);
  images_.SetTimeout(maps.deployment.digest_resolution_timeout);
  revisions_.SetProgressDeadline(maps.deployment.progress_deadline);
  routes_.SetConfig(serving);
  mappings_.SetConfig(serving);
  reconcile_.SetConfig(serving);
}

void Parts::OnConfigErrors(const std::map<std::string, std::string>& errors) {
  if (errors == config_errors_) return;
  config_errors_ = errors;
  for (const auto& [key, what] : errors) {
    Log(Level::kWarn, "autoscaler_config_error", {{"key", key}, {"error", what}});
  }
}

}  // namespace updraft::controller
