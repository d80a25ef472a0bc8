// Observations in, decisions out: the decider alone, as the autoscaler has it. Pure.
//
// The decider is born at second 0, with as many ready instances as `startReady` says (0 unless
// said). An input whose first observation comes later than a stable window after that has begun its
// clock elsewhere: there the decider is born with the first observation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "autoscaler/kpa/decider.h"
#include "cli/replay/input.h"

namespace updraft::cli {

struct DecisionPoint {
  double at = 0;  // seconds
  int ready = 0;
  double stable = 0;
  double panic = 0;
  int desired = 0;
  bool panicking = false;
  bool valid = false;
};

class DecisionReplay {
 public:
  // A line {"decider": {...}}; the first one of the input must be one. `warn` is called for keys
  // that are not known.
  Status Configure(InputLine& line, const std::function<void(const std::string&)>& warn);

  // A line {"at", "ready", "stable", "panic"}; times do not go back. Without one of its figures
  // there is nothing to decide on: the answer is not valid and nothing changes. The answer is one
  // line of JSON.
  Result<std::string> Observe(InputLine& line);

  const std::vector<DecisionPoint>& points() const { return points_; }

 private:
  autoscaler::Policy policy_;
  autoscaler::Policy born_with_;  // the first line's
  bool reachable_ = true;
  bool configured_ = false;
  int start_ready_ = 0;
  std::optional<autoscaler::Memory> memory_;  // from the first observation on
  TimePoint last_at_;
  std::vector<DecisionPoint> points_;
};

}  // namespace updraft::cli
