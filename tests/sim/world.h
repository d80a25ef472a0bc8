// The whole platform in one process on a virtual clock: a controller, an autoscaler, activators and
// nodes, users who apply and delete, clients who ask, and what goes wrong. Everything follows from
// the seed. What must always hold is checked as it happens; see docs/simulation.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/activator.h"
#include "tests/sim/autoscaler.h"
#include "tests/sim/controller.h"
#include "tests/sim/node.h"

namespace updraft::sim {

struct WorldOptions {
  uint64_t seed = 0;
  uint32_t nodes = 3;
  uint32_t controllers = 2;  // of which one leads
  uint32_t activators = 2;
  uint32_t services = 5;  // at most, at a time
  int64_t instances_per_node_max = 30;
  Nanos storm = std::chrono::minutes(3);
  Sabotage sabotage = Sabotage::kNone;
  Nanos fault_every = std::chrono::milliseconds(2500);  // on average, in the storm
  Nanos users_take = std::chrono::seconds(6);           // between two changes, on average
  bool all_at_first = false;                            // every service is applied at the beginning
  double busy = 0.6;                                    // the share of services that have traffic
  size_t violations_max = 5;                            // then the world ends
  bool trace = false;
};

// What a user wants of a service, and what was acknowledged.
struct Wish {
  std::string image = "good";
  uint32_t container_concurrency = 0;
  int min_scale = 0;
  int max_scale = 0;  // 0: unlimited
  int timeout_seconds = 30;
  int version = 0;  // makes each edit a new revision
};

class World final : private Backends {
 public:
  explicit World(const WorldOptions& options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The storm, then the calm, then the questions. Empty: all is well; else what is not, in words.
  std::vector<std::string> Live();

  uint64_t events() const { return time_.events(); }
  Nanos lived() const { return time_.now() - born_; }
  const std::map<Outcome, uint64_t>& outcomes() const { return outcomes_; }
  // The same for the same seed and options, if nothing is left to chance but what the seed decides.
  uint64_t digest() const { return digest_; }

 private:
  struct Service {
    std::optional<Wish> acknowledged;  // nullopt: there is to be none
    std::optional<Wish> asked;         // while a write is under way
    bool uncertain = false;            // a write was under way when the controller died
    bool deleting = false;
    uint32_t writer = 0;  // which controller's it is
    uint64_t writes = 0;
    double rate = 0;        // requests a second
    uint64_t arrivals = 0;  // counts up when the rate changes
  };

  // ---- parts
  void StartController(uint32_t i);
  void KillController(uint32_t i);
  SimController* Leader() const;  // serving; null: there is none
  void StartAutoscaler();
  void StartActivator(uint32_t i);
  void KillActivator(uint32_t i);

  // ---- the world's own motion
  void RunFor(Nanos span);
  void Sweep();

  // ---- users
  void ScheduleUser();
  void ApplyAll();
  void ApplyNew(const std::string& name);
  void Apply(const std::string& name, std::optional<Wish> wish);
  Wish RandomWish();
  void ScheduleTraffic();
  static double Bearable(const Service& service);
  void ChangeRates();
  void EaseTraffic();
  void SetRate(const std::string& name, double rate);
  void ScheduleArrival(const std::string& name);
  void Ask(const std::string& name, Nanos works_for, Nanos patience);

  // ---- faults
  void ScheduleFault();
  void Fault();
  void Later(Nanos least, Nanos most, std::function<void()> run);
  void Calm();

  // ---- invariants
  Way Reach(uint32_t activator, const std::string& ip) override;
  bool Answers(uint32_t activator, const std::string& ip) override;
  SimNode* NodeOf(const std::string& ip);
  void Violation(const std::string& what);
  void OnEnd(const Seen& seen);
  void CheckMaxScale(const controller::Fleet& fleet, const controller::FleetChanges& changes);
  void CheckSlots();
  void CheckOwners();
  void CheckAcknowledged();

  // ---- convergence
  void Settle();
  void Mend();
  void CheckServices();
  void CheckRoutes();
  void CheckCounts();
  void CheckQuiet();

  void Trace(const std::string& line);
  double Seconds() const;

  const WorldOptions options_;
  Scheduler time_;
  Chance chance_;
  Weather weather_;
  const TimePoint born_;

  std::vector<std::unique_ptr<MachineClock>> clocks_;
  std::vector<MachineClock*> controller_clocks_;
  MachineClock* autoscaler_clock_ = nullptr;
  std::vector<MachineClock*> activator_clocks_;

  store::MemoryStore durable_;
  Terms terms_;
  std::vector<std::unique_ptr<NodeWire>> node_wires_;
  std::vector<std::unique_ptr<RoutingWire>> routing_wires_;
  std::vector<std::unique_ptr<LoadWire>> load_wires_;
  std::unique_ptr<DecisionWire> decision_wire_;

  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<std::unique_ptr<SimController>> controllers_;
  std::unique_ptr<SimAutoscaler> autoscaler_;
  std::vector<std::unique_ptr<SimActivator>> activators_;

  std::map<std::string, Service> services_;
  std::map<std::string, TimePoint> unowned_since_;  // containers and instances
  std::map<std::string, int> slots_unused_;             // revisions, with the sweeps in a row
  std::set<std::string> seen_instances_;
  std::set<uint64_t> open_requests_;
  uint64_t sweeps_ = 0;
  int busy_sweeps_ = 0;  // in a row, in which the controller did more than it can have reason to
  uint64_t digest_ = 0;
  std::string last_checked_;  // of the services
  uint64_t next_request_ = 1;
  uint64_t versions_ = 0;
  std::map<Outcome, uint64_t> outcomes_;
  bool traffic_ = true;
  bool strict_ = false;  // no request may fail any more
  std::vector<std::string> violations_;
};

}  // namespace updraft::sim
