#include "autoscaler/collect/load_server.h"

namespace updraft::autoscaler {

grpc::ServerBidiReactor<v1::LoadReport, v1::LoadAck>* LoadServer::Report(grpc::CallbackServerContext*) {
  return rpc::PeerStream<v1::LoadReport, v1::LoadAck>::Accept(loop_, *this);
}

void LoadServer::OnMessage(const Stream& stream, v1::LoadReport message) {
  if (message.activator_id().empty()) {
    stream->End({grpc::StatusCode::INVALID_ARGUMENT, "activator_id is missing"});
    return;
  }
  const LoadStreams::Word word = streams_.Hear(stream->id(), message.activator_id());
  if (word == LoadStreams::Word::kLate) return;
  const bool first = word == LoadStreams::Word::kFirst;
  if (first) observer_.OnActivator(message.activator_id(), message.epoch());
  observer_.OnReport(message, first);
}

void LoadServer::OnFlushed(const Stream&) {}

void LoadServer::OnEnded(const Stream& stream) {
  if (const auto gone = streams_.End(stream->id())) observer_.OnActivatorGone(*gone);
}

}  // namespace updraft::autoscaler
