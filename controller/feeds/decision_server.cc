#include "controller/feeds/decision_server.h"

#include "controller/instances/fleet_views.h"
#include "core/base/log.h"

namespace updraft::controller {

void DecisionServer::OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) {
  for (const RevisionKey& key : changes.revisions) {
    if (const auto target = ScaleTargetOf(fleet, key, at.now)) {
      feed_.Set(*target);
    } else {
      feed_.Remove(key);
    }
  }
  for (const auto& [id, stream] : streams_) Push(stream);
}

void DecisionServer::SetConfig(v1::AutoscalerConfig config) {
  feed_.SetConfig(std::move(config));
  for (const auto& [id, stream] : streams_) Push(stream);
}

void DecisionServer::OnOpened(Stream stream) {
  Log(Level::kInfo, "autoscaler_connected");
  feed_.Subscribe(stream->id());
  Push(stream);
  streams_.emplace(stream->id(), std::move(stream));
}

void DecisionServer::OnMessage(const Stream& stream, v1::AutoscalerMessage message) {
  // Two autoscalers at once are a restart seen from here: the newer one is right.
  if (streams_.empty() || streams_.rbegin()->first != stream->id()) return;
  fleet_loop_.Change([&message](Fleet& fleet, Moment) {
    for (const v1::Decision& decision : message.decisions()) fleet.OnDecision(decision);
  });
  if (on_config_errors_)
    on_config_errors_({message.config_errors().begin(), message.config_errors().end()});
}

void DecisionServer::OnEnded(const Stream& stream) {
  Log(Level::kInfo, "autoscaler_disconnected");
  feed_.Unsubscribe(stream->id());
  streams_.erase(stream->id());
}

void DecisionServer::Push(const Stream& stream) {
  if (!stream->idle() || !fleet_loop_.may_act()) return;
  if (auto update = feed_.Take(stream->id())) stream->Send(std::move(*update));
}

}  // namespace updraft::controller
