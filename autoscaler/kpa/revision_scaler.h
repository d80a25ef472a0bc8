// One revision: its windows, its decider or what it uses, its floor, its way to zero. Pure: `now` is handed in.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "autoscaler/floor/floor.h"
#include "autoscaler/hpa/hpa_scaler.h"
#include "autoscaler/kpa/decider.h"
#include "autoscaler/kpa/policy.h"
#include "autoscaler/kpa/scale_target.h"
#include "autoscaler/kpa/window.h"

namespace updraft::autoscaler {

// A revision as the controller describes it.
struct Target {
  std::string uid = {};  // of the revision: its name may have been another's before
  std::map<std::string, std::string> annotations;
  int container_concurrency = 0;
  bool reachable = true;
  int ready = 0;
  int starting = 0;
  int failed = 0;             // in crash back-off
  bool initialized = false;   // initial scale was reached once
  bool instances_known = true;
  Nanos progress_deadline = Seconds(600);
  std::string service;
  std::string configuration;
  std::vector<InstanceUsage> usage = {};  // class hpa: of ready instances
  int64_t cpu_request_millis = 0;         // of one instance

  bool operator==(const Target&) const = default;
};

struct Decision {
  std::optional<int> desired;  // nullopt: no opinion yet, keep what runs
  Active active = Active::kActivating;
  double excess_burst_capacity = 0;
  bool panic = false;
  bool initialized = false;

  bool operator==(const Decision&) const = default;
};

// What the figures are that a decision was made from, for people to see.
struct Insight {
  double stable = 0;
  double panic = 0;
  double target = 0;
};

class RevisionScaler {
 public:
  RevisionScaler(const Defaults& defaults, Target target, TimePoint now);

  // New facts from the controller, or new defaults. The windows are kept. `defaults` count for other annotations
  // alone: those of all revisions change by Reconfigure().
  void Update(const Defaults& defaults, Target target, TimePoint now);
  void Reconfigure(const Defaults& defaults, TimePoint now);

  // What came in the time `over` that ends now. A report that was late is spread over the seconds that it tells of,
  // so that it is not taken for a burst.
  void Record(double request_seconds, double requests, Nanos over, TimePoint now);

  // The regular decision, every two seconds. REQUIRES: load is known, because an activator is connected. `wall`: for
  // what goes by the clock on the wall.
  Decision Tick(TimePoint now, WallTime wall);

  // `waiting` requests find no instance: decided at once, and sized from the queue.
  Decision Demand(int waiting, TimePoint now);

  // The decision again, with the newest facts but no new opinion.
  Decision Refresh(TimePoint now);

  const Target& target() const { return target_; }
  const Policy& policy() const { return policy_; }
  // As of the last Tick().
  const Insight& insight() const { return insight_; }
  const Floor& floor() const { return floor_; }

 private:
  void Configure(const Defaults& defaults, TimePoint now);
  Verdict FollowUsage(bool asked, TimePoint now);
  Decision Apply(std::optional<Verdict> verdict, TimePoint now);

  Target target_;
  Policy policy_;
  Window stable_;
  Window panic_;
  Floor floor_;
  int floor_now_ = 0;
  HpaScaler hpa_;
  Insight insight_;
  std::optional<Memory> memory_;      // from the first time that the instances are known
  std::optional<TargetState> state_;  // likewise
  Verdict last_;
  bool has_opinion_ = false;
};

}  // namespace updraft::autoscaler
