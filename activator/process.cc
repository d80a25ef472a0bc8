#include "activator/process.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <thread>
#include <utility>

#include "core/base/log.h"

namespace updraft::activator {
namespace {

// Given to what is left of connections to be closed once the drain's time is over.
constexpr Nanos kCutSlack = Seconds(1);

// The instances' network may be made later than we are.
constexpr Nanos kInsideRetry = Millis(500);

std::string HostsName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "activator";
  return name.data();
}

uint32_t WorkersOf(const Config& config) {
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1u, Revision::kWorkersMax);
  return config.workers == 0 ? cores : config.workers;
}

WorkerPoolOptions PoolOptions(const Config& config, AccessLog* access_log) {
  WorkerPoolOptions options{.workers = WorkersOf(config),
                            .limits = {.queue_length_max = config.queue_length_max},
                            .access_log = access_log};
  options.proxy.https_only = config.tls_redirect;
  options.proxy.https_port = HttpsPort(config);
  return options;
}

// Who takes over is, for a while, not the only one of its host.
ControlOptions ControlOptionsOf(const Config& config, uint32_t generation) {
  const std::string id = config.id.empty() ? HostsName() : config.id;
  return {.activator_id = generation == 0 ? id : id + "-" + std::to_string(generation),
          .lineage = {.id = id, .beside = generation != 0},
          .version = UPDRAFT_VERSION,
          .controller = config.controller,
          .autoscaler = config.autoscaler};
}

}  // namespace

Result<Inheritance> Inherit(const Config& config) {
  Inheritance inheritance;
  inheritance.listeners.AddFromSystemd();
  if (config.handover_socket.empty()) return inheritance;
  Result<Predecessor> predecessor = Predecessor::Meet(config.handover_socket);
  if (!predecessor && predecessor.error().code == Code::kNotFound) return inheritance;
  if (!predecessor) return predecessor.error();
  inheritance.predecessor = *std::move(predecessor);
  for (UniqueFd& socket : inheritance.predecessor->sockets()) inheritance.listeners.Add(std::move(socket));
  return inheritance;
}

Result<std::unique_ptr<AccessLog>> OpenAccessLog(const Config& config) {
  AccessLogOptions options{.path = config.access_log.empty() ? "-" : config.access_log,
                           .sample = config.access_log_sample,
                           .workers = WorkersOf(config)};
  Result<LogTemplate> format =
      config.access_log_template.empty() ? LogTemplate::Default() : LogTemplate::Parse(config.access_log_template);
  if (!format) return format.error();
  if (!config.access_log.empty()) options.format = std::make_shared<const LogTemplate>(*std::move(format));
  return AccessLog::Open(std::move(options));
}

Process::Process(const Config& config, Inheritance inheritance, AccessLog& access_log)
    : config_(config),
      access_log_(access_log),
      inheritance_(std::move(inheritance)),
      generation_(inheritance_.generation()),
      control_(loop_, RealClock(), ControlOptionsOf(config, generation_), exposition_, [this] { OnRoutable(); },
               [this](const v1::RequestLog& request_log) { OnRequestLog(request_log); }),
      pool_(PoolOptions(config, &access_log), control_),
      tls_(loop_, pool_, CertificatePairs(config)),
      operations_(loop_, {}, metrics::OperationsHandler(exposition_, [this] { return control_.Ready(); })) {
  ShowAccessLog(exposition_, access_log);
  ShowTls(exposition_, [this] {
    std::vector<ServedCertificate> served = control_.ServedCertificates();
    std::ranges::move(tls_.Served(), std::back_inserter(served));
    return TlsFigures{pool_.tls_counters(), std::move(served)};
  });
}

int Process::Run() {
  if (const Status status = tls_.Start(); !status) GiveUp("bad_certificate", status.error());
  control_.Start(pool_.workers(), pool_.counters());
  // While a predecessor serves, it is ready and we are not: it answers who asks.
  if (!inheritance_.predecessor) ListenForOperations();
  if (exit_code_ == 0) loop_.Run();
  succession_.reset();
  names_.reset();
  return exit_code_;
}

void Process::Drain() {
  if (std::exchange(draining_, true)) return;
  Log(Level::kInfo, "draining", {{"seconds_max", config_.drain_seconds}});
  control_.StopServing();
  const TimePoint deadline = loop_.Now() + Seconds(config_.drain_seconds);
  pool_.Drain(deadline, [this] { loop_.Stop(); });
  loop_.At(deadline + kCutSlack, [this] { loop_.Stop(); });
}

// Nobody is let in before the routes are known: a request then would be told that there is nothing.
void Process::OnRoutable() {
  if (draining_) return;
  if (const Status status = pool_.Listen(ListenAddresses(config_), inheritance_.listeners); !status) {
    return GiveUp("cannot_listen", status.error());
  }
  ServeInside();
  if (inheritance_.predecessor) ListenForOperations();
  AwaitSuccessor();
  if (exit_code_ != 0) return;
  if (inheritance_.predecessor) {
    Log(Level::kInfo, "taken_over", {{"listeners", inheritance_.listeners.size()}, {"generation", generation_}});
    inheritance_.predecessor->Relieve();
  }
  inheritance_ = {};
}

// What the ConfigMap does not turn on, the flags may have.
void Process::OnRequestLog(const v1::RequestLog& request_log) {
  if (!request_log.enabled()) return pool_.SetLogFormat(access_log_.format());
  Result<LogTemplate> format =
      request_log.format().empty() ? LogTemplate::Default() : LogTemplate::Parse(request_log.format());
  if (!format) Log(Level::kWarn, "bad_request_log_template", {{"error", format.error().message}, {"instead", "JSON"}});
  pool_.SetLogFormat(std::make_shared<const LogTemplate>(format ? *std::move(format) : LogTemplate::Default()));
}

Status Process::TryServeInside() {
  if (!listens_inside_ && !config_.inside_addresses.empty()) {
    Status status = pool_.ListenInside(config_.inside_addresses, inheritance_.listeners);
    if (!status) return status;
    listens_inside_ = true;
  }
  if (names_ || config_.dns_address.empty()) return Ok();
  auto names = NameServer::Listen(loop_, config_.dns_address,
                                  [this](std::string_view host) { return control_.KnowsInside(host); });
  if (!names) return names.error();
  names_ = *std::move(names);
  return Ok();
}

// Those outside are served all the same.
void Process::ServeInside() {
  if (draining_) return;
  const Status status = TryServeInside();
  if (status) return;
  if (!std::exchange(inside_failed_, true)) {
    Log(Level::kWarn, "inside_not_served_yet", {{"error", status.error().message}});
  }
  loop_.After(kInsideRetry, [this] { ServeInside(); });
}

void Process::ListenForOperations() {
  const Status status = ListenAt(operations_, config_.metrics_address, inheritance_.listeners, 0, 1);
  if (!status) GiveUp("cannot_listen", status.error());
}

void Process::AwaitSuccessor() {
  if (config_.handover_socket.empty()) return;
  auto succession = Succession::Await(loop_, config_.handover_socket, generation_,
                                      {.sockets = [this] { return ListeningSockets(); }, .relieved = [this] { OnRelieved(); }});
  if (!succession) return GiveUp("cannot_await_successor", succession.error());
  succession_ = *std::move(succession);
}

std::vector<int> Process::ListeningSockets() {
  std::vector<int> sockets = pool_.ListeningSockets();
  for (const int socket : operations_.listening_sockets()) sockets.push_back(socket);
  return sockets;
}

void Process::OnRelieved() {
  Log(Level::kInfo, "relieved", {{"generation", generation_}});
  operations_.StopAccepting();
  names_.reset();
  Drain();
}

void Process::GiveUp(const std::string& doing, const Error& error) {
  Log(Level::kError, doing, {{"error", error.message}});
  exit_code_ = 1;
  loop_.Stop();
}

}  // namespace updraft::activator
