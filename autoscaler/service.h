// The autoscaler's shell: reports and targets in, decisions out, a tick every two seconds.
#pragma once

#include <string>

#include "autoscaler/collect/load_server.h"
#include "autoscaler/kpa/fleet.h"
#include "autoscaler/metrics.h"
#include "core/base/loop.h"
#include "core/rpc/link.h"
#include "updraft/v1/scaling.grpc.pb.h"

namespace updraft::autoscaler {

// Loop thread only.
class Service final : public LoadObserver, private rpc::LinkObserver<v1::ScaleTargets> {
 public:
  // `defaults`, and what was wrong with them, hold while there is no ConfigMap config-autoscaler.
  // `loop` and `metrics` must outlive the service. `controller`: a gRPC target.
  Service(Loop& loop, Metrics& metrics, Defaults defaults, std::map<std::string, std::string> config_errors,
          const std::string& controller);

  // Ok while the controller is connected.
  Status Ready() const;

  void OnActivator(const std::string& activator, int64_t epoch) override;
  void OnActivatorGone(const std::string& activator) override;
  void OnReport(const v1::LoadReport& report, bool first) override;

 private:
  void OnConnected() override;
  void OnMessage(v1::ScaleTargets targets) override;
  void OnDisconnected(const Error& why) override;

  void OnConfig(const v1::AutoscalerConfig& config);
  void ScheduleTick();
  void SendChanges();
  void Send(const std::vector<RevisionDecision>& decisions);

  Loop& loop_;
  Metrics& metrics_;
  const Defaults own_defaults_;                              // where there is no ConfigMap
  const std::map<std::string, std::string> own_errors_;
  std::map<std::string, std::string> config_errors_;
  Fleet fleet_;
  std::unique_ptr<v1::DecisionService::Stub> stub_;
  rpc::Link<v1::AutoscalerMessage, v1::ScaleTargets> link_;
};

}  // namespace updraft::autoscaler
