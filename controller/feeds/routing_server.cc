#include "controller/feeds/routing_server.h"

#include <algorithm>
#include <string_view>

#include "controller/instances/fleet_views.h"
#include "core/base/log.h"

namespace updraft::controller {

void RoutingServer::SetRoute(const v1::Route& route, const std::string& fingerprint) {
  feed_.SetRoute(route);
  confirmations_.Set(route.key(), fingerprint);
  loop_.Defer(this);
}

void RoutingServer::RemoveRoute(const std::string& key) {
  feed_.RemoveRoute(key);
  confirmations_.Remove(key);
  loop_.Defer(this);
}

bool RoutingServer::Programmed(std::string_view ns, std::string_view name,
                               std::string_view fingerprint) const {
  return confirmations_.Confirmed(std::string(ns) + "/" + std::string(name), fingerprint);
}

void RoutingServer::OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) {
  for (const RevisionKey& key : changes.revisions) {
    if (const auto revision = RoutedRevisionOf(fleet, key)) {
      feed_.SetRevision(*revision, EndpointsOf(fleet, key, at.now));
    } else {
      feed_.RemoveRevision(key);
    }
  }
  PushAll();
}

size_t RoutingServer::activator_count() const {
  return static_cast<size_t>(std::ranges::count_if(
      activators_, [](const auto& entry) { return !entry.second.id.empty(); }));
}

void RoutingServer::OnOpened(Stream stream) {
  const uint64_t id = stream->id();
  activators_[id].stream = std::move(stream);
}

void RoutingServer::OnMessage(const Stream& stream, v1::ActivatorMessage message) {
  Activator& activator = activators_[stream->id()];
  switch (message.message_case()) {
    case v1::ActivatorMessage::kHello:
      OnHello(activator, message.hello());
      break;
    case v1::ActivatorMessage::kDrained:
      fleet_loop_.Change([&activator, &message](Fleet& fleet, Moment) {
        fleet.OnDrained(activator.id, message.drained().instance_id());
      });
      break;
    case v1::ActivatorMessage::kFailure:
      // Its node probes it all the time and says when it is not ready; this is for who reads the
      // logs.
      Log(Level::kWarn, "endpoint_failure",
          {{"instance", message.failure().instance_id()}, {"reason", message.failure().reason()}});
      break;
    case v1::ActivatorMessage::kApplied:
      activator.acks = true;
      OnApplied(activator, message.applied().sequence());
      break;
    case v1::ActivatorMessage::MESSAGE_NOT_SET:
      break;
  }
}

void RoutingServer::OnHello(Activator& activator, const v1::ActivatorHello& hello) {
  if (hello.activator_id().empty()) {
    activator.stream->End({grpc::StatusCode::INVALID_ARGUMENT, "activator_id is empty"});
    return;
  }
  activator.id = hello.activator_id();
  Log(Level::kInfo, "activator_connected",
      {{"activator", activator.id}, {"version", hello.version()}});
  feed_.Subscribe(activator.stream->id());
  confirmations_.Join(activator.stream->id());
  fleet_loop_.Change([&activator](Fleet& fleet, Moment) { fleet.OnActivator(activator.id); });
}

void RoutingServer::OnFlushed(const Stream& stream) {
  Activator& activator = activators_[stream->id()];
  // One that never answers updates takes them over, as far as can be known, when they have left.
  if (!activator.acks) OnApplied(activator, activator.sequence);
  Push(activator);
}

void RoutingServer::OnApplied(Activator& activator, int64_t sequence) {
  while (!activator.unconfirmed.empty() && activator.unconfirmed.front().sequence <= sequence) {
    confirmations_.Reach(activator.stream->id(), activator.unconfirmed.front().version);
    activator.unconfirmed.pop_front();
  }
  TellProgrammed();
}

void RoutingServer::OnEnded(const Stream& stream) {
  feed_.Unsubscribe(stream->id());
  confirmations_.Leave(stream->id());
  const ActivatorId id = activators_[stream->id()].id;
  activators_.erase(stream->id());
  if (id.empty()) return;
  TellProgrammed();  // it may have been the one that was waited for
  const bool has_another =
      std::ranges::any_of(activators_, [&id](const auto& entry) { return entry.second.id == id; });
  if (has_another) return;
  Log(Level::kInfo, "activator_disconnected", {{"activator", id}});
  fleet_loop_.Change([&id](Fleet& fleet, Moment at) { fleet.OnActivatorGone(id, at.now); });
}

// While an update is on its way, further changes gather: a slow activator gets fewer, larger ones.
void RoutingServer::Push(Activator& activator) {
  if (!activator.stream->idle()) return;
  auto update = feed_.Take(activator.stream->id());
  if (!update) return;
  update->set_sequence(++activator.sequence);
  activator.unconfirmed.push_back({activator.sequence, confirmations_.version()});
  activator.stream->Send(std::move(*update));
}

void RoutingServer::PushAll() {
  for (auto& [id, activator] : activators_) {
    if (!activator.id.empty()) Push(activator);
  }
}

void RoutingServer::TellProgrammed() {
  for (const std::string& key : confirmations_.TakeConfirmed()) {
    if (on_programmed_) on_programmed_(key);
  }
}

}  // namespace updraft::controller
