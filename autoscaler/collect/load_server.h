// LoadService: where activators report. Hands reports to the loop.
#pragma once

#include <string>

#include "autoscaler/collect/load_streams.h"
#include "core/base/loop.h"
#include "core/rpc/peer_stream.h"
#include "updraft/v1/scaling.grpc.pb.h"

namespace updraft::autoscaler {

// Told on the loop.
class LoadObserver {
 public:
  virtual void OnActivator(const std::string& activator, int64_t epoch) = 0;
  virtual void OnActivatorGone(const std::string& activator) = 0;
  virtual void OnReport(const v1::LoadReport& report, bool first) = 0;

 protected:
  ~LoadObserver() = default;
};

// Registered with a grpc::Server, which it must outlive. `loop` and `observer` must outlive it.
class LoadServer final : public v1::LoadService::CallbackService,
                         private rpc::PeerObserver<v1::LoadReport, v1::LoadAck> {
 public:
  LoadServer(Loop& loop, LoadObserver& observer) : loop_(loop), observer_(observer) {}

  grpc::ServerBidiReactor<v1::LoadReport, v1::LoadAck>* Report(grpc::CallbackServerContext* context) override;

 private:
  void OnOpened(Stream) override {}
  void OnMessage(const Stream& stream, v1::LoadReport message) override;
  void OnFlushed(const Stream& stream) override;
  void OnEnded(const Stream& stream) override;

  Loop& loop_;
  LoadObserver& observer_;
  LoadStreams streams_;
};

}  // namespace updraft::autoscaler
