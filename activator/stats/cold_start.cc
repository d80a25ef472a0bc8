#include "activator/stats/cold_start.h"

#include <algorithm>
#include <cstdio>

namespace updraft::activator {

std::vector<ColdStartPhase> PhasesOf(const ColdStartTimes& times) {
  if (times.queued_ns == 0) return {};
  const std::array<int64_t, kColdStartPhases.size()> ends = {
      times.decided_ns,   times.placed_ns, times.claimed_ns, times.started_ns,
      times.listening_ns, times.ready_ns,  times.routed_ns,  times.first_byte_ns};
  std::vector<ColdStartPhase> phases;
  int64_t last = times.queued_ns;
  for (size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] == 0) continue;
    const int64_t end = std::max(ends[i], last);
    phases.push_back({kColdStartPhases[i], Nanos(end - last)});
    last = end;
  }
  return phases;
}

Nanos TotalOf(const ColdStartTimes& times) {
  Nanos total(0);
  for (const ColdStartPhase& phase : PhasesOf(times)) total += phase.took;
  return total;
}

std::string ServerTiming(const ColdStartTimes& times) {
  std::string text;
  const auto add = [&text](std::string_view name, Nanos took) {
    std::array<char, 32> millis{};
    std::snprintf(millis.data(), millis.size(), "%.3f", static_cast<double>(took.count()) * 1e-6);
    if (!text.empty()) text += ", ";
    text += std::string(name) + ";dur=" + millis.data();
  };
  for (const ColdStartPhase& phase : PhasesOf(times)) add(phase.name, phase.took);
  if (!text.empty()) add("total", TotalOf(times));
  return text;
}

}  // namespace updraft::activator
