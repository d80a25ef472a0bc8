// Gradual rollout: the share of a revision that has just become the latest of its configuration
// grows step by step, from 1 % to all that the configuration gets. Pure.
//
//   goal      what the spec asks for: all to the newest revision of each configuration
//   previous  how far it had come: kept in the route's status while it is under way, else what the
//             status says of the traffic
//
// A revision that is new begins with 1 %. Once activators route by that, the time it took says how
// long a step takes at least, and with the route's duration how many steps there are. A revision
// that is newer still begins with 1 % in its turn, and the earlier ones keep what they have until
// steps take it from them, the newest of them first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/reconcile/traffic.h"
#include "core/api/json.h"
#include "core/base/clock.h"

namespace updraft::controller {

// Unix nanoseconds, and nanoseconds; 0: not known yet.
struct RolloutSteps {
  int64_t started = 0;
  int64_t next = 0;
  int64_t length = 0;
  int64_t percent = 0;  // what a step moves
  bool operator==(const RolloutSteps&) const = default;
};

// One configuration on one host: its percent, divided among its revisions, the oldest first.
struct ConfigurationRollout {
  std::string configuration = {};
  std::string tag = {};  // empty: the main host
  int64_t percent = 0;
  std::vector<RevisionShare> revisions = {};
  RolloutSteps steps = {};
  bool operator==(const ConfigurationRollout&) const = default;
};

struct Rollout {
  std::vector<ConfigurationRollout> configurations = {};  // by tag, then by configuration

  bool Done() const;  // each has one revision at most
  const ConfigurationRollout* Find(std::string_view tag, std::string_view configuration) const;
  bool operator==(const Rollout&) const = default;
};

// Where the targets that follow a latest revision end up, on the main host and on each tag's.
// REQUIRES: each of them has a configuration.
Rollout RolloutGoal(const std::vector<TrafficTarget>& targets);

// Activators route by `rollout`: sets the steps of what has begun and has none yet.
void ObserveRouted(Rollout& rollout, WallTime now, Nanos duration);

struct RolloutStep {
  Rollout rollout = {};
  std::optional<WallTime> next = std::nullopt;  // when there is a step to be taken
};
RolloutStep StepRollout(const Rollout& goal, Rollout previous, WallTime now);

// Revisions that are no more leave what they had to the newest that is there.
void DropRevisions(Rollout& rollout, const ObjectsByName& there);

// How the requests to the tag's host are divided, as SharesOf (traffic.h) but for the rollout.
std::vector<RevisionShare> SharesOf(const std::vector<TrafficTarget>& targets, std::string_view tag,
                                    const Rollout& rollout);

// ---- as it is kept in a route's status

// What is under way and the targets that it is about.
struct KeptRollout {
  Rollout rollout = {};
  std::vector<TrafficTarget> targets = {};  // each with a revision, the latest's configuration too
};

// nullopt: none is under way, or what is kept makes no sense.
std::optional<KeptRollout> ReadRollout(const Json& route);
void WriteRollout(const KeptRollout& kept, Json& status);
void EraseRollout(Json& status);

}  // namespace updraft::controller
