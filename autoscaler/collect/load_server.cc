#include "autoscaler/collect/load_server.h"

namespace updraft::autoscaler {

grpc::ServerBidiReactor<v1::LoadReport, v1::LoadAck>* LoadServer::Report(grpc::CallbackServerContext*) {
  return rpc::PeerStream<v1::LoadReport, v1::LoadAck>::Accept(loop_, *this);
}

void LoadServer::OnOpened(Stream stream) { peers_[stream->id()] = {}; }

void LoadServer::OnMessage(const Stream& stream, v1::LoadReport message) {
  Peer& peer = peers_[stream->id()];
  const bool first = peer.activator.empty();
  if (message.activator_id().empty()) {
    stream->End({grpc::StatusCode::INVALID_ARGUMENT, "activator_id is missing"});
    return;
  }
  if (first) {
    peer.activator = message.activator_id();
    newest_[peer.activator] = stream->id();
    observer_.OnActivator(peer.activator, message.epoch());
  }
  // What an older stream still had on its way is older than what the newer one began with.
  if (newest_[peer.activator] == stream->id()) observer_.OnReport(message, first);
}

void LoadServer::OnFlushed(const Stream&) {}

void LoadServer::OnEnded(const Stream& stream) {
  const auto it = peers_.find(stream->id());
  if (it == peers_.end()) return;
  const std::string activator = it->second.activator;
  peers_.erase(it);
  // The activator may be here again already, on a newer stream.
  const auto newest = newest_.find(activator);
  if (activator.empty() || newest == newest_.end() || newest->second != stream->id()) return;
  newest_.erase(newest);
  observer_.OnActivatorGone(activator);
}

}  // namespace updraft::autoscaler
