#include "controller/feeds/routing_server.h"

#include "core/base/log.h"

namespace updraft::controller {

RoutingServer::RoutingServer(Loop& loop, FleetLoop& fleet_loop, OnProgrammed on_programmed, ActivatorMemory* memory,
                             const std::set<std::string>& known)
    : loop_(loop),
      fleet_loop_(fleet_loop),
      on_programmed_(std::move(on_programmed)),
      sessions_(loop.Now(), memory, known) {
  SetTimer();
}

RoutingServer::~RoutingServer() { loop_.Cancel(timer_); }

void RoutingServer::OnRemembered(const std::string& lineage) {
  sessions_.Remembered(lineage);
  loop_.Defer(this);
}

// When what a lost activator held may be given to others.
void RoutingServer::SetTimer() {
  const std::optional<TimePoint> when = sessions_.wake_at();
  if (when == timer_at_) return;
  loop_.Cancel(timer_);
  timer_ = 0;
  timer_at_ = when;
  if (!when) return;
  timer_ = loop_.At(*when, [this] {
    timer_ = 0;
    timer_at_.reset();
    sessions_.Wake(loop_.Now());
    PushAll();
  });
}

void RoutingServer::SetRoute(const v1::Route& route, const std::string& fingerprint) {
  sessions_.SetRoute(route, fingerprint);
  loop_.Defer(this);
}

void RoutingServer::RemoveRoute(const std::string& key) {
  sessions_.RemoveRoute(key);
  loop_.Defer(this);
}

void RoutingServer::SetRequestLog(const v1::RequestLog& request_log) {
  sessions_.SetRequestLog(request_log);
  loop_.Defer(this);
}

void RoutingServer::OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) {
  sessions_.SetRevisions(fleet, changes, at.now);
  PushAll();
}

void RoutingServer::OnOpened(Stream stream) {
  const uint64_t id = stream->id();
  sessions_.Open(id);
  streams_[id] = std::move(stream);
}

void RoutingServer::OnMessage(const Stream& stream, v1::ActivatorMessage message) {
  const uint64_t id = stream->id();
  switch (message.message_case()) {
    case v1::ActivatorMessage::kHello:
      OnHello(stream, message.hello());
      break;
    case v1::ActivatorMessage::kDrained:
      fleet_loop_.Change([this, id, &message](Fleet& fleet, Moment) {
        fleet.OnDrained(sessions_.IdOf(id), message.drained().instance_id());
      });
      break;
    case v1::ActivatorMessage::kFailure:
      // Its node probes it all the time and says when it is not ready; this is for who reads the
      // logs.
      Log(Level::kWarn, "endpoint_failure",
          {{"instance", message.failure().instance_id()}, {"reason", message.failure().reason()}});
      break;
    case v1::ActivatorMessage::kLoads:
      fleet_loop_.Change([this, id, &message](Fleet& fleet, Moment) {
        fleet.OnLoads(sessions_.IdOf(id), message.loads());
      });
      break;
    case v1::ActivatorMessage::kApplied:
      sessions_.Applied(id, message.applied().sequence());
      TellProgrammed();
      break;
    case v1::ActivatorMessage::kReturned:
      sessions_.Returned(id, message.returned(), loop_.Now());
      loop_.Defer(this);
      break;
    case v1::ActivatorMessage::kDemand:
      sessions_.Demand(id, message.demand(), loop_.Now());
      loop_.Defer(this);
      break;
    case v1::ActivatorMessage::MESSAGE_NOT_SET:
      break;
  }
}

void RoutingServer::OnHello(const Stream& stream, const v1::ActivatorHello& hello) {
  if (hello.activator_id().empty()) {
    stream->End({grpc::StatusCode::INVALID_ARGUMENT, "activator_id is empty"});
    return;
  }
  Log(Level::kInfo, "activator_connected",
      {{"activator", hello.activator_id()}, {"version", hello.version()}});
  sessions_.Hello(stream->id(), hello, loop_.Now());
  loop_.Defer(this);
  fleet_loop_.Change([&hello](Fleet& fleet, Moment) { fleet.OnActivator(hello.activator_id()); });
}

void RoutingServer::OnFlushed(const Stream& stream) {
  sessions_.Flushed(stream->id());
  TellProgrammed();
  Push(stream);
}

void RoutingServer::OnEnded(const Stream& stream) {
  const std::optional<ActivatorId> gone = sessions_.End(stream->id(), loop_.Now());
  streams_.erase(stream->id());
  TellProgrammed();  // it may have been the one that was waited for
  loop_.Defer(this);
  if (!gone) return;
  Log(Level::kInfo, "activator_disconnected", {{"activator", *gone}});
  fleet_loop_.Change([&gone](Fleet& fleet, Moment at) { fleet.OnActivatorGone(*gone, at.now); });
}

void RoutingServer::Push(const Stream& stream) {
  if (!stream->idle() || !fleet_loop_.may_act()) return;
  if (auto update = sessions_.Take(stream->id())) stream->Send(std::move(*update));
}

void RoutingServer::PushAll() {
  for (const auto& [id, stream] : streams_) Push(stream);
  SetTimer();
}

void RoutingServer::TellProgrammed() {
  for (const std::string& key : sessions_.TakeProgrammed()) {
    if (on_programmed_) on_programmed_(key);
  }
}

}  // namespace updraft::controller
