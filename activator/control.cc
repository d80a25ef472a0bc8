#include "activator/control.h"

#include <malloc.h>

#include <array>
#include <bit>
#include <utility>

#include "core/base/log.h"

namespace updraft::activator {
namespace {

constexpr Nanos kReportEvery = Seconds(1);

double ToMillis(Nanos span) { return static_cast<double>(span.count()) * 1e-6; }

// One line with every phase; those that did not happen took no time, and the sum is the total.
void LogColdStart(const std::string& revision, const std::string& instance, const ColdStartTimes& times) {
  std::array<double, kColdStartPhases.size()> millis{};
  for (const ColdStartPhase& phase : PhasesOf(times)) {
    for (size_t i = 0; i < millis.size(); ++i) {
      if (kColdStartPhases[i] == phase.name) millis[i] = ToMillis(phase.took);
    }
  }
  Log(Level::kInfo, "cold_start",
      {{"revision", revision},
       {"instance", instance},
       {"decided_ms", millis[0]},
       {"placed_ms", millis[1]},
       {"claimed_ms", millis[2]},
       {"started_ms", millis[3]},
       {"listening_ms", millis[4]},
       {"ready_ms", millis[5]},
       {"routed_ms", millis[6]},
       {"first_byte_ms", millis[7]},
       {"total_ms", ToMillis(TotalOf(times))}});
}

}  // namespace

Control::Control(Loop& loop, const Clock& clock, ControlOptions options, metrics::Exposition& exposition,
                 std::function<void()> routable, std::function<void(const v1::RequestLog&)> request_log)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      routable_(std::move(routable)),
      request_log_(std::move(request_log)),
      metrics_(exposition, clock,
               {.figures = [this] { return Figures(); },
                .revisions =
                    [this](const SeeRevision& see) {
                      if (state_ != nullptr) state_->ledger().ForEachMet(see);
                    }}) {}

Control::~Control() {
  loop_.Cancel(report_timer_);
  loop_.Cancel(slots_timer_);
}

void Control::Start(std::vector<Worker*> workers, std::vector<const ProxyCounters*> proxies) {
  workers_ = std::move(workers);
  proxies_ = std::move(proxies);
  state_ = std::make_unique<ControlState>(clock_, Reporter{options_.activator_id, UnixNanos(clock_.Wall())},
                                          static_cast<uint32_t>(workers_.size()), options_.lineage);
  routing_ = std::make_unique<Routing>(*this, loop_, options_.controller);
  load_ = std::make_unique<Load>(*this, loop_, options_.autoscaler);
  ScheduleReport();
}

Status Control::Ready() const {
  if (stopping_) return Error{Code::kUnavailable, "shutting down"};
  if (!routed_) return Error{Code::kUnavailable, "no routes yet: the controller has not been heard"};
  return Ok();
}

// ---- from the controller

Control::Routing::Routing(Control& of, Loop& loop, const std::string& target)
    : control(of),
      stub(v1::RoutingService::NewStub(rpc::MakeChannel(target, rpc::Keepalive::kYes))),
      link(loop, *this, [this](auto* context, auto* reactor) { stub->async()->Watch(context, reactor); }) {}

void Control::Routing::OnConnected() {
  Log(Level::kInfo, "controller_connected");
  link.Send(control.state_->Hello(control.options_.version));
}

void Control::Routing::OnMessage(v1::RoutingUpdate update) {
  control.Apply(update);
  // A full state's message is larger than what is kept of it; the allocator would keep the place of both.
  if (update.full()) control.loop_.Post([] { malloc_trim(0); });
}

void Control::Routing::OnDisconnected(const Error& why) {
  Log(Level::kWarn, "controller_disconnected", {{"error", why.message}});
  control.state_->OnControllerLost();
}

void Control::Apply(const v1::RoutingUpdate& update) {
  if (update.has_request_log() && request_log_) request_log_(update.request_log());
  std::shared_ptr<const RouteTable> before = state_->shared_table();
  ControlState::Applied applied = state_->Apply(update);
  if (applied.publication) {
    Publish({.publication = std::move(applied.publication),
             .before = std::move(before),
             .full = update.full(),
             .sequence = update.sequence()});
  }
  TellController(std::move(applied.messages));
  for (const auto& revision : applied.more_slots) Wake(revision, revision->waiting_workers.load());
  TellAgainOfSlots();
}

// The last worker that has taken it says so.
void Control::Publish(Published published) {
  const auto round = std::make_shared<Round>(workers_.size(), std::move(published));
  for (Worker* worker : workers_) {
    worker->Publish(round->published.publication, [this, round] {
      if (round->left.fetch_sub(1) > 1) return;
      loop_.Post([this, published = std::move(round->published)] { OnRouted(published.full, published.sequence); });
    });
  }
}

void Control::OnRouted(bool full, int64_t sequence) {
  routing_->link.Send(state_->Routed(sequence));
  if (!full || std::exchange(routed_, true)) return;
  Log(Level::kInfo, "routes_received", {{"hosts", state_->table().host_count()}, {"revisions", state_->table().revision_count()}});
  if (routable_) std::exchange(routable_, nullptr)();
}

// ---- to the controller

void Control::OnDrained(const Instance* instance) {
  loop_.Post([this, instance] {
    if (auto message = state_->OnDrained(instance)) routing_->link.Send(std::move(*message));
  });
}

void Control::OnEjected(std::shared_ptr<Revision> revision, std::string instance_id, uint32_t failures,
                        Error error) {
  loop_.Post([this, revision = std::move(revision), id = std::move(instance_id), failures, error = std::move(error)] {
    LeaveAlone(revision, id, failures, error);
  });
}

void Control::LeaveAlone(const std::shared_ptr<Revision>& revision, const std::string& instance_id,
                         uint32_t failures, const Error& error) {
  ControlState::Ejection ejection = state_->OnEjected(instance_id, failures, error);
  Log(Level::kWarn, "instance_ejected",
      {{"revision", revision->key()}, {"instance", instance_id}, {"failures", failures},
       {"for_ms", ToMillis(ejection.span)}, {"error", error.message}});
  metrics_.OnEjection();
  routing_->link.Send(std::move(ejection.message));
  loop_.After(ejection.span, [this, revision, instance_id] { Restore(revision, instance_id); });
}

void Control::Restore(const std::shared_ptr<Revision>& revision, const std::string& instance_id) {
  Wake(revision, state_->Restore(*revision, instance_id));
}

void Control::Wake(const std::shared_ptr<Revision>& revision, uint64_t waiting) {
  for (; waiting != 0; waiting &= waiting - 1) {
    workers_[static_cast<size_t>(std::countr_zero(waiting))]->PostWake(revision);
  }
}

void Control::OnMet(std::shared_ptr<Revision> revision) {
  loop_.Post([this, revision = std::move(revision)] { state_->OnMet(*revision); });
}

void Control::OnSlotNews(std::shared_ptr<Revision> revision) {
  loop_.Post([this, revision = std::move(revision)] {
    TellController(state_->OnSlotNews(revision));
    TellAgainOfSlots();
  });
}

void Control::TellAgainOfSlots() {
  if (!state_->waits_for_slots() || slots_timer_ != 0) return;
  slots_timer_ = loop_.After(kSlotDemandEvery, [this] {
    slots_timer_ = 0;
    if (auto message = state_->SlotDemandAgain(); message && routing_->link.connected()) {
      routing_->link.Send(std::move(*message));
    }
    TellAgainOfSlots();
  });
}

void Control::TellController(std::vector<v1::ActivatorMessage> messages) {
  for (v1::ActivatorMessage& message : messages) routing_->link.Send(std::move(message));
}

void Control::StopServing() {
  if (std::exchange(stopping_, true) || state_ == nullptr) return;
  TellController(state_->StopServing());
}

void Control::TellInstanceLoads() {
  if (!routing_->link.connected()) return;
  if (auto message = state_->InstanceLoads()) routing_->link.Send(std::move(*message));
}

// ---- to the autoscaler

Control::Load::Load(Control& of, Loop& loop, const std::string& target)
    : control(of),
      stub(v1::LoadService::NewStub(rpc::MakeChannel(target))),
      link(loop, *this, [this](auto* context, auto* reactor) { stub->async()->Report(context, reactor); }) {}

void Control::Load::OnConnected() {
  Log(Level::kInfo, "autoscaler_connected");
  link.Send(control.state_->All());
}

void Control::Load::OnDisconnected(const Error& why) {
  Log(Level::kWarn, "autoscaler_disconnected", {{"error", why.message}});
}

bool Control::KnowsInside(std::string_view host) const {
  const HostRule* rule = state_ == nullptr ? nullptr : state_->table().Find(host);
  return rule != nullptr && rule->cluster_local;
}

void Control::OnDemand(std::shared_ptr<Revision> revision, WallTime queued) {
  loop_.Post([this, revision = std::move(revision), queued] { TellDemand(*revision, queued); });
}

void Control::TellDemand(Revision& revision, WallTime queued) {
  auto report = state_->Demand(revision, queued);
  if (!report) return;
  metrics_.OnDemand();
  load_->link.Send(std::move(*report));
}

void Control::ScheduleReport() {
  report_timer_ = loop_.After(kReportEvery, [this] {
    if (load_->link.connected()) load_->link.Send(state_->Changes());
    TellInstanceLoads();
    state_->CheckSlotLease();
    metrics_.LetGoOfOldPages();
    ScheduleReport();
  });
}

// ---- for people

void Control::OnColdStart(std::string revision, std::string instance_id, ColdStartTimes times) {
  loop_.Post([this, revision = std::move(revision), id = std::move(instance_id), times] {
    LogColdStart(revision, id, times);
    metrics_.OnColdStart(times);
  });
}

std::vector<ServedCertificate> Control::ServedCertificates() const {
  std::vector<ServedCertificate> served;
  if (state_ == nullptr) return served;
  state_->routing().ForEachCertificate([&served](const RouteEntry& route) {
    if (route.hosts.empty()) return;
    served.push_back(
        {.source = "route", .name = route.hosts.front()->host, .not_after = route.certificate->not_after()});
  });
  return served;
}

ActivatorFigures Control::Figures() const {
  ActivatorFigures figures;
  figures.proxies = proxies_;
  if (state_ == nullptr) return figures;
  figures.routed_hosts = state_->table().host_count();
  figures.controller_connected = routing_->link.connected();
  figures.autoscaler_connected = load_->link.connected();
  return figures;
}

}  // namespace updraft::activator
