// A machine with a container runtime, and the node-agent on it. The agent's state machines, probe
// machines and adoption are the real ones; containers, images and networks are made up. Containers
// outlive the agent, nothing outlives the machine.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node-agent/containerd/container_runtime.h"
#include "node-agent/instance/instance_machine.h"
#include "tests/sim/chance.h"
#include "tests/sim/contracts.h"
#include "tests/sim/process.h"
#include "tests/sim/program.h"
#include "tests/sim/sabotage.h"

namespace updraft::sim {

struct NodeSurroundings {
  Scheduler& time;
  Weather& weather;
  Chance& chance;
  NodeWire& controller;
  uint32_t number = 0;
  int64_t instances_max = 100;
  Sabotage sabotage = Sabotage::kNone;
  std::function<void(const std::string& line)> trace;  // may be empty
};

struct SimContainer {
  enum class State { kMade, kCreated, kRunning, kExited };  // made: without a task
  node_agent::ContainerRecord record;
  std::string instance;
  std::string ip;
  State state = State::kMade;
  uint32_t exit_status = 0;
  WallTime exited_at = {};
  Program program;
};

class SimNode {
 public:
  SimNode(const NodeSurroundings& around, MachineClock& clock);
  ~SimNode();
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  const std::string& name() const { return name_; }
  MachineClock& clock() { return clock_; }

  void PowerOn();   // without effect when it is on
  void PowerOff();  // everything on it is gone at once
  void StartAgent();
  void KillAgent();
  bool on() const { return machine_ != nullptr; }
  bool agent_ready() const;

  // Requests get neither in nor out.
  void SetIsolated(bool isolated) { isolated_ = isolated; }
  bool isolated() const { return isolated_; }

  const std::map<std::string, std::unique_ptr<SimContainer>>& containers() const { return containers_; }
  // Null: there is none of that address that takes connections.
  Program* Listening(const std::string& ip);
  bool HasInstance(const std::string& instance) const;  // its agent knows of it
  std::vector<std::string> Instances() const;
  // Instances that the agent was told to stop.
  bool Stopping(const std::string& instance) const;
  // A running program ends by itself.
  void Crash(const std::string& container);

 private:
  class Agent;

  void Exit(SimContainer& container, uint32_t status);
  void RunProgram(SimContainer& container, const std::string& image);
  std::optional<std::string> ClaimAddress(const std::string& instance);
  void ReleaseAddress(const std::string& instance);
  void Trace(const std::string& line) const {
    if (around_.trace) around_.trace(name_ + ": " + line);
  }

  const NodeSurroundings around_;
  MachineClock& clock_;
  const std::string name_;
  std::unique_ptr<Process> machine_;                                 // null: off
  std::map<std::string, std::unique_ptr<SimContainer>> containers_;  // by id
  std::map<std::string, std::string> addresses_;                     // by instance
  std::deque<std::string> free_addresses_;                           // the longest free first
  std::map<std::string, SimContainer*> by_address_;                  // running ones
  std::set<std::string> once_ready_;                                 // instances
  bool isolated_ = false;
  std::unique_ptr<Agent> agent_;
};

}  // namespace updraft::sim
