#include "node-agent/agent.h"

#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "core/base/log.h"
#include "node-agent/service/node_facts.h"

namespace updraft::node_agent {
namespace {

constexpr char kCgroupRoot[] = "/sys/fs/cgroup";
// More creates at once than this for each core only make each of them slower.
constexpr size_t kCreatesPerCore = 2;

std::string ParentOf(const std::string& unix_address) {
  constexpr std::string_view kScheme = "unix:";
  if (!unix_address.starts_with(kScheme)) return "";
  return std::filesystem::path(unix_address.substr(kScheme.size())).parent_path();
}

Status MakeFolders(const Config& config) {
  for (const std::string& folder : {config.run, config.state, ParentOf(config.grpc_address)}) {
    std::error_code error;
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    if (error) return Error{Code::kInternal, folder + ": " + error.message()};
  }
  return Ok();
}

bool IsCrun(const std::string& runtime_binary) { return std::filesystem::path(runtime_binary).filename() == "crun"; }

v1::NodeHello WithVersion(v1::NodeHello hello, const Result<std::string>& containerd_version) {
  if (containerd_version) hello.set_containerd_version(*containerd_version);
  return hello;
}

}  // namespace

Result<AgentGround> PrepareGround(Loop& loop, const Config& config) {
  if (Status made = MakeFolders(config); !made) return made.error();
  AgentGround ground;
  ground.host = ReadHostFacts(kCgroupRoot);
  Result<v1::NodeHello> hello = DescribeNode(config, ground.host);
  if (!hello) return hello.error();
  ground.hello = std::move(*hello);
  if (!config.registries.empty()) {
    Result<RegistriesConfig> registries = ReadRegistries(config.registries);
    if (!registries) return registries.error();
    ground.registries = std::move(*registries);
  }
  Result<std::unique_ptr<NetworkPool>> networks =
      NetworkPool::Start(loop, {.bridge = config.bridge,
                                .subnet = config.subnet,
                                .run = config.run,
                                .ready_count = static_cast<size_t>(config.networks_ready)});
  if (!networks) return Context("network", networks.error());
  ground.networks = std::move(*networks);
  return ground;
}

Agent::Agent(Loop& loop, const Config& config, AgentGround ground)
    : loop_(loop),
      config_(config),
      host_facts_(std::move(ground.host)),
      hello_(std::move(ground.hello)),
      exposition_("node-agent"),
      metrics_(exposition_, [this] { return Figures(); }),
      client_(loop, {.address = config.containerd, .containerd_namespace = config.containerd_namespace}),
      runtime_(client_, {.containerd_namespace = config.containerd_namespace,
                         .runtime_binary = config.runtime_binary,
                         .runtime_root = config.run + "/oci"}),
      image_store_(loop, client_, {.engine = {.registries = std::move(ground.registries)}}),
      images_(loop, image_store_,
              [this](const Status& outcome, Nanos took) {
                metrics_.OnImagePull(outcome ? Metrics::Pull::kSucceeded : Metrics::Pull::kFailed, took);
              }),
      network_pool_(std::move(ground.networks)),
      networks_(*network_pool_),
      log_store_(loop, RealClock(), {.root = config.state + "/logs"}),
      logs_(log_store_, config.run + "/instances"),
      files_({.run_directory = config.run,
              .state_directory = config.state,
              .service_names = config.service_names}),
      specs_({.cgroup_parent = config.cgroup_parent,
              .compiled_seccomp = IsCrun(config.runtime_binary),
              .node_name = hello_.node(),
              .host_ip = hello_.internal_ip()},
             host_facts_,
             files_),
      execs_(loop, runtime_, config.run + "/exec"),
      processes_(loop, runtime_, config.run + "/sessions"),
      probes_(loop, execs_),
      gate_(kCreatesPerCore * static_cast<size_t>(std::max<int64_t>(1, host_facts_.cpus))),
      host_(Tools(), HostCallbacks()),
      claims_(files_.ClaimsDirectory(), [this](const std::string& claim) { return host_.UsesClaim(claim); }),
      disk_limits_(loop, host_),
      service_(loop, host_, image_store_, log_store_, runtime_, processes_),
      http_server_(loop, {}, metrics::OperationsHandler(exposition_, [this] { return Ready(); })) {}

Agent::~Agent() = default;

InstanceTools Agent::Tools() {
  return {.run = {.loop = loop_,
                  .clock = RealClock(),
                  .runtime = runtime_,
                  .images = images_,
                  .logs = logs_,
                  .specs = specs_,
                  .execs = execs_,
                  .gate = gate_},
          .networks = networks_,
          .probes = probes_,
          .files = files_,
          .cgroups = {.path = kCgroupRoot, .layout = host_facts_.cgroups}};
}

InstanceHostCallbacks Agent::HostCallbacks() {
  return {.ready = [this] { OnHostReady(); },
          .report = [this](const v1::InstanceReport& report) { OnReport(report); },
          .task_exit = [this](const TaskExit& exit) { processes_.OnExit(exit); },
          .instance_over = [this] { claims_.OnInstanceOver(); },
          .runtime_connected = [this] { processes_.OnRuntimeConnected(); }};
}

Status Agent::Open() {
  if (Status started = files_.Start(); !started) return started;
  if (const auto port = http_server_.Listen(config_.metrics_address); !port) return port.error();
  host_.Open();
  return Ok();
}

void Agent::OnHostReady() {
  runtime_.Version([this](const Result<std::string>& version) { ConnectController(version); });
}

void Agent::ConnectController(const Result<std::string>& containerd_version) {
  ControllerLinkCallbacks callbacks;
  callbacks.status = [this] { return StatusNow(); };
  callbacks.start = [this](const v1::InstanceSpec& spec) { StartInstance(spec); };
  callbacks.keep_claims = [this](const v1::KeepClaims& kept) {
    claims_.KeepOnly({kept.directories().begin(), kept.directories().end()});
  };
  callbacks.remove_claim = [this](const v1::RemoveClaim& gone) { claims_.Remove(gone.directory()); };
  controller_ = std::make_unique<ControllerLink>(loop_, config_.controller, WithVersion(hello_, containerd_version),
                                                 host_, image_store_, std::move(callbacks));
}

void Agent::StartInstance(const v1::InstanceSpec& spec) {
  if (host_.Find(spec.instance_id()) == nullptr) metrics_.OnAccepted(spec.instance_id(), RealClock().Wall());
  host_.Start(spec);
}

void Agent::OnReport(const v1::InstanceReport& report) {
  if (controller_) controller_->Report(report);  // first: requests may wait for it
  const std::optional<StartPhases> phases = metrics_.OnReport(report);
  if (!phases) return;
  const auto milliseconds = [&phases](const char* phase) {
    const auto it = phases->phases.find(phase);
    return it == phases->phases.end() ? 0.0 : static_cast<double>(it->second.count()) / 1e6;
  };
  Log(Level::kInfo, "instance_ready",
      {{"instance", report.instance_id()},
       {"revision", report.revision()},
       {"claimed_ms", milliseconds("claimed")},
       {"started_ms", milliseconds("started")},
       {"listening_ms", milliseconds("listening")},
       {"ready_ms", milliseconds("ready")},
       {"whole_ms", static_cast<double>(phases->whole.count()) / 1e6}});
}

v1::NodeStatus Agent::StatusNow() const {
  v1::NodeStatus status = NodeStatusNow(config_.state);
  for (const ImageEntry& entry : image_store_.List()) {
    if (entry.unpacked) status.add_images(entry.reference);
  }
  return status;
}

NodeFigures Agent::Figures() const {
  NodeFigures figures;
  figures.instances = host_.CountByPhase();
  figures.networks_ready = network_pool_->ready_count();
  figures.creates_running = gate_.running();
  figures.creates_waiting = gate_.waiting();
  figures.log_bytes_written = log_store_.counters().bytes_written;
  figures.log_bytes_dropped = log_store_.counters().bytes_dropped;
  figures.runtime_connected = host_.runtime_status().has_value();
  figures.controller_connected = controller_ && controller_->connected();
  return figures;
}

Status Agent::Ready() const {
  if (Status runtime = host_.runtime_status(); !runtime) return Context("containerd", runtime.error());
  if (!host_.ready()) return Error{Code::kUnavailable, "what runs here is not known yet"};
  return Ok();
}

void Agent::Close(std::function<void()> done) {
  service_.Close();
  if (!config_.stop_instances || !host_.ready()) return done();
  host_.StopAll(Nanos(0), [done = std::move(done)](int) { done(); });
}

}  // namespace updraft::node_agent
