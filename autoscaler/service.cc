#include "autoscaler/service.h"

#include "autoscaler/convert.h"
#include "core/base/log.h"

namespace updraft::autoscaler {
namespace {

constexpr Nanos kTick = Seconds(2);

}  // namespace

Service::Service(Loop& loop, Metrics& metrics, Defaults defaults, std::map<std::string, std::string> config_errors,
                 const std::string& controller)
    : loop_(loop),
      metrics_(metrics),
      own_defaults_(defaults),
      own_errors_(std::move(config_errors)),
      config_errors_(own_errors_),
      fleet_(std::move(defaults)),
      stub_(v1::DecisionService::NewStub(rpc::MakeChannel(controller))),
      link_(loop, *this, [this](auto* context, auto* reactor) { stub_->async()->Sync(context, reactor); }) {
  ScheduleTick();
}

Status Service::Ready() const {
  if (link_.connected()) return Ok();
  return Error{Code::kUnavailable, "no connection to the controller"};
}

void Service::OnActivator(const std::string& activator, int64_t epoch) {
  Log(Level::kInfo, "activator_connected", {{"activator", activator}});
  fleet_.ActivatorConnected(activator, epoch);
}

void Service::OnActivatorGone(const std::string& activator) {
  Log(Level::kInfo, "activator_gone", {{"activator", activator}});
  fleet_.ActivatorGone(activator);
}

void Service::OnReport(const v1::LoadReport& report, bool first) {
  fleet_.Report(report.activator_id(), FromProto(report), first, loop_.Now());
  SendChanges();
}

void Service::OnConnected() { Log(Level::kInfo, "controller_connected"); }

void Service::OnDisconnected(const Error& why) {
  Log(Level::kWarn, "controller_disconnected", {{"error", why.message}});
}

void Service::OnMessage(v1::ScaleTargets targets) {
  if (targets.has_config()) OnConfig(targets.config());
  if (targets.full()) fleet_.BeginFull();
  for (const v1::ScaleTarget& target : targets.targets()) fleet_.Put(target.revision(), FromProto(target), loop_.Now());
  for (const std::string& revision : targets.removed()) {
    fleet_.Remove(revision);
    metrics_.Forget(revision);
  }
  if (!targets.full()) return SendChanges();
  for (const std::string& revision : fleet_.EndFull()) metrics_.Forget(revision);
  fleet_.TakeChanges();  // they are in All()
  Send(fleet_.All());
}

// A ConfigMap that cannot be used was refused when it was written; one of another version's making changes nothing.
void Service::OnConfig(const v1::AutoscalerConfig& config) {
  if (!config.exists()) {
    config_errors_ = own_errors_;
    fleet_.SetDefaults(own_defaults_, loop_.Now());
    return;
  }
  const auto defaults = api::ParseAutoscalerConfig({config.keys().begin(), config.keys().end()});
  config_errors_.clear();
  if (defaults) return fleet_.SetDefaults(*defaults, loop_.Now());
  config_errors_["config-autoscaler"] = defaults.error().message;
  Log(Level::kWarn, "config_unusable", {{"error", defaults.error().message}});
}

void Service::ScheduleTick() {
  loop_.After(kTick, [this] {
    const TimePoint began = RealClock().Now();
    fleet_.Tick(loop_.Now(), RealClock().Wall());
    SendChanges();
    fleet_.ForEach([this](const std::string& revision, const RevisionScaler& scaler, const Decision& decision) {
      metrics_.Show(revision, scaler.target(), scaler.insight(), decision);
    });
    metrics_.OnTick(RealClock().Now() - began);
    ScheduleTick();
  });
}

void Service::SendChanges() { Send(fleet_.TakeChanges()); }

void Service::Send(const std::vector<RevisionDecision>& decisions) {
  if (decisions.empty() || !link_.connected()) return;
  v1::AutoscalerMessage message;
  const WallTime now = RealClock().Wall();
  for (const RevisionDecision& decision : decisions) *message.add_decisions() = ToProto(decision, now);
  message.mutable_config_errors()->insert(config_errors_.begin(), config_errors_.end());
  link_.Send(std::move(message));
}

}  // namespace updraft::autoscaler
