// The phases of one cold start: when each ended, and how long each took. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace updraft::activator {

// When each phase ended: wall clock, unix nanoseconds; 0: it did not happen. As ColdStart in node.proto.
struct ColdStartTimes {
  int64_t queued_ns = 0;  // request parsed, no instance
  int64_t decided_ns = 0;
  int64_t placed_ns = 0;
  int64_t claimed_ns = 0;
  int64_t started_ns = 0;
  int64_t listening_ns = 0;
  int64_t ready_ns = 0;
  int64_t routed_ns = 0;      // endpoint known here
  int64_t first_byte_ns = 0;  // of the first response

  bool operator==(const ColdStartTimes&) const = default;
};

struct ColdStartPhase {
  std::string_view name;  // named for what ends it: decided, placed, ..., first_byte
  Nanos took = Nanos(0);

  bool operator==(const ColdStartPhase&) const = default;
};

// The names of all phases, in order: a closed set for labels.
inline constexpr std::array<std::string_view, 8> kColdStartPhases = {
    "decided", "placed", "claimed", "started", "listening", "ready", "routed", "first_byte"};

// Each phase is the time since the end of the one before, so that they add up to the total exactly.
// Phases that did not happen are left out. Clocks that went back give a phase of 0, and the
// phases after it less. Empty when nobody was queued.
std::vector<ColdStartPhase> PhasesOf(const ColdStartTimes& times);

// The sum of the phases.
Nanos TotalOf(const ColdStartTimes& times);

// As the value of a Server-Timing header: `decided;dur=0.412, ..., total;dur=43.120` in milliseconds.
std::string ServerTiming(const ColdStartTimes& times);

}  // namespace updraft::activator
