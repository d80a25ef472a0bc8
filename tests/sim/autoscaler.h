// The autoscaler as a process: the real fleet of scalers behind simulated streams, with a tick every
// two seconds. Soft state alone: each life begins with nothing.
#pragma once

#include <vector>

#include "autoscaler/collect/load_streams.h"
#include "autoscaler/kpa/fleet.h"
#include "tests/sim/contracts.h"
#include "tests/sim/process.h"

namespace updraft::sim {

class SimAutoscaler final : private LoadServerEnd, private ClientEnd<v1::ScaleTargets> {
 public:
  SimAutoscaler(Scheduler& time, const MachineClock& clock, DecisionWire& controller,
                std::vector<LoadWire*> activators);
  ~SimAutoscaler();

  const autoscaler::Fleet& fleet() const { return fleet_; }

 private:
  void OnConnected() override {}
  void OnMessage(const v1::ScaleTargets& targets) override;
  void OnDisconnected() override {}

  void OnOpened(const Stream&) override {}
  void OnMessage(const Stream& stream, const v1::LoadReport& report) override;
  void OnFlushed(const Stream&) override {}
  void OnEnded(const Stream& stream) override;

  void Tick();
  void SendChanges() { Send(fleet_.TakeChanges()); }
  void Send(const std::vector<autoscaler::RevisionDecision>& decisions);

  Process process_;
  DecisionWire& controller_;
  const std::vector<LoadWire*> activators_;
  autoscaler::Fleet fleet_;
  autoscaler::LoadStreams streams_;
};

}  // namespace updraft::sim
