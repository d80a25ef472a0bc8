// Observations in, decisions out: the decider alone, as the autoscaler has it. Pure.
//
// The decider is born at second 0, with as many ready instances as `startReady` says (0 unless
// said). An input whose first observation comes later than a stable window and than ten minutes
// after that has begun its clock elsewhere: there the decider is born with the first observation.
#pragma once

#include <functional>
#include <optional>
#include <set>
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
  using Warn = std::function<void(const std::string&)>;

  // A line of settings {"decider": {...}}, of figures {"at", "ready", "stable", "panic"}, or of both:
  // then the settings hold for the figures. The first line is to have a decider; any of its keys may
  // stand beside it as well. Times do not go back. The answer to figures is one line of JSON, to
  // settings alone an empty text; without one of its figures there is nothing to decide on: the
  // answer is not valid and nothing changes. `warn` is told keys that are not known, each once.
  Result<std::string> Take(InputLine& line, const Warn& warn);

  const std::vector<DecisionPoint>& points() const { return points_; }

 private:
  void TellUnknown(const InputLine& line, const std::string& key, const Warn& warn);
  void Configure(InputLine& settings);
  Result<std::string> Observe(InputLine& line);

  autoscaler::Policy policy_;
  autoscaler::Policy born_with_;  // the first line's
  bool reachable_ = true;
  bool configured_ = false;
  int start_ready_ = 0;
  std::optional<autoscaler::Memory> memory_;  // from the first observation on
  TimePoint last_at_;
  std::vector<DecisionPoint> points_;
  std::set<std::string> told_;  // keys that are not known
};

}  // namespace updraft::cli
