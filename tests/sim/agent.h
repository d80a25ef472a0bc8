// One life of a node-agent: what instance_host.h, live_instance.h and live_run.h do over containerd,
// done over a made-up runtime; the decisions are those of InstanceMachine, ProbeMachine and
// PlanAdoption. Included by node.cc alone.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node-agent/instance/instance_machine.h"
#include "node-agent/probe/probe_call.h"
#include "node-agent/probe/probe_machine.h"
#include "tests/sim/node.h"

namespace updraft::sim {

class SimNode::Agent final : private ClientEnd<v1::ControllerMessage> {
 public:
  explicit Agent(SimNode& node);
  ~Agent();

  bool ready() const { return ready_; }
  bool Has(const std::string& instance) const { return instances_.contains(instance); }
  bool Stopping(const std::string& instance) const;
  std::vector<std::string> Instances() const;

  // ---- what the runtime tells
  void OnExit(const SimContainer& container);
  void OnListening(const SimContainer& container);

 private:
  // One container of an instance.
  struct Place {
    node_agent::RunId run;
    int calls = 0;  // under way, of this run
    bool removing = false;
    std::optional<node_agent::ProbeMachine> probes;
    node_agent::ContainerHealth health;
    uint64_t probing = 0;  // counts up when what is scheduled is out of date
  };
  struct Live {
    Live(std::shared_ptr<const v1::InstanceSpec> spec, size_t count) : machine(std::move(spec)), places(count) {}
    node_agent::InstanceMachine machine;
    std::vector<Place> places;
    std::deque<node_agent::Event> events;
    bool handling = false;
    std::optional<TimePoint> timer_at;
    uint64_t timer = 0;
  };

  void OnConnected() override;
  void OnMessage(const v1::ControllerMessage& message) override;
  void OnDisconnected() override { ++connection_; }

  void Adopt();
  void Start(const v1::InstanceSpec& spec);
  void Stop(const std::string& instance, Nanos grace);
  void Report(const v1::InstanceReport& report);
  void SendStatus(uint64_t connection);

  Live* Find(const std::string& instance);
  Live& Add(std::shared_ptr<const v1::InstanceSpec> spec);
  void Handle(const std::string& instance, node_agent::Event event);
  void SetTimer(const std::string& instance, Live& live);
  // `then` answers what the machine does meanwhile, whatever becomes of the agent; unless the run is
  // being removed by then.
  void Call(const std::string& instance, Place& place, Nanos takes, std::function<void()> then);
  void TearDown(const std::string& instance, const node_agent::RunId& run);

  void Do(const std::string& instance, Live& live, const node_agent::action::EnsureImage& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::ClaimNetwork& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::PrepareRoot& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::Create& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::Start& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::Probe& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::Signal& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::Remove& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::RememberReady& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::ReleaseNetwork& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::Report& action);
  void Do(const std::string& instance, Live& live, const node_agent::action::Forget& action);

  void ScheduleProbes(const std::string& instance, const node_agent::RunId& run);
  void OnProbe(const std::string& instance, const node_agent::RunId& run, node_agent::ProbeKind kind);
  void TellHealth(const std::string& instance, const node_agent::RunId& run);
  Nanos Takes(Nanos usually_at_most);

  SimNode& node_;
  Process process_;
  std::map<std::string, std::unique_ptr<Live>> instances_;
  bool ready_ = false;
  uint64_t connection_ = 0;
};

}  // namespace updraft::sim
