// An activator as a process: routing state, dispatchers and control state are the real ones; its
// workers' threads are lanes of one thread, and requests are what HTTP would make of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "activator/feed/control_state.h"
#include "activator/queue/dispatcher.h"
#include "tests/sim/chance.h"
#include "tests/sim/contracts.h"
#include "tests/sim/process.h"
#include "tests/sim/program.h"
#include "tests/sim/sabotage.h"

namespace updraft::sim {

enum class Outcome {
  kAnswered,
  kUnrouted,   // 404: no such host
  kRefused,    // 503, with the reason
  kTimedOut,   // 504
  kBroken,     // 502: the instance died under it
  kUnreached,  // 502: no instance could be connected to
  kLeft,       // the client went away
  kReset,      // the activator died
};
const char* NameOf(Outcome outcome);

// What a client asks for, and what it saw.
struct Asked {
  uint64_t number = 0;
  std::string host;
  Nanos works_for{0};             // in the instance
  Nanos patience = Nanos::max();  // of the client
};
struct Seen {
  Asked asked;
  Outcome outcome = Outcome::kReset;
  std::string why;
  std::string revision;
  Nanos took{0};
  int executions = 0;
};

struct ActivatorSurroundings {
  Scheduler& time;
  Weather& weather;
  Chance& chance;
  Backends& backends;
  uint32_t number = 0;
  RoutingWire* controller = nullptr;
  LoadWire* autoscaler = nullptr;
  Sabotage sabotage = Sabotage::kNone;
  std::function<void(const std::string& line)> trace;      // may be empty
  std::function<void(const std::string& what)> violation;  // an invariant does not hold
  std::function<void(const Seen&)> on_end;                 // of every request, once
};

// One life of it.
class SimActivator final : private ClientEnd<v1::RoutingUpdate> {
 public:
  static constexpr uint32_t kWorkers = 2;

  SimActivator(const ActivatorSurroundings& around, const MachineClock& clock);
  ~SimActivator();
  SimActivator(const SimActivator&) = delete;
  SimActivator& operator=(const SimActivator&) = delete;

  void Request(Asked asked);

  bool routable() const { return routable_; }
  size_t requests() const { return requests_.size(); }
  // Waiting in all queues.
  size_t waiting() const;
  const activator::RouteTable& table() const { return state_.table(); }
  // That take requests.
  size_t OpenInstances(const std::string& revision) const;
  // Requests that wait, and slots that nobody uses, by revision: of those with a containerConcurrency.
  struct SlotFigures {
    uint32_t waiting = 0;
    uint32_t idle = 0;
    bool ejected = false;  // some are left alone for a while: requests may wait for just those
    std::string text;  // for people
  };
  void AddSlots(std::map<std::string, std::vector<SlotFigures>>& figures) const;
  // A request that should have ended by now; null: none.
  const Asked* Overdue(TimePoint world_now) const;

 private:
  class Lane;
  class WorkerPart;
  class Exchange;
  struct LoadEnd final : ClientEnd<v1::LoadAck> {
    explicit LoadEnd(SimActivator& activator) : of(activator) {}
    void OnConnected() override { of.around_.autoscaler->Send(of.state_.All()); }
    void OnMessage(const v1::LoadAck&) override {}
    void OnDisconnected() override {}
    SimActivator& of;
  };

  void OnConnected() override;
  void OnMessage(const v1::RoutingUpdate& update) override;
  void OnDisconnected() override { state_.OnControllerLost(); }
  void Report();
  void TellAll(std::vector<v1::ActivatorMessage> messages);
  void TellAgainOfSlots();
  void Wake(const std::shared_ptr<activator::Revision>& revision, uint64_t waiting);
  void Tell(std::optional<v1::ActivatorMessage> message);
  void Restore(const std::shared_ptr<activator::Revision>& revision, const std::string& instance);
  void End(Exchange& exchange, Outcome outcome, const std::string& why);

  const ActivatorSurroundings around_;
  Process process_;
  activator::ControlState state_;
  LoadEnd load_end_;
  std::unique_ptr<Lane> control_;
  std::vector<std::unique_ptr<WorkerPart>> workers_;
  std::map<uint64_t, std::unique_ptr<Exchange>> requests_;  // by number: in the order they came
  bool routable_ = false;
  bool tells_again_ = false;
};

}  // namespace updraft::sim
