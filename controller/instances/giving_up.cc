#include "controller/instances/giving_up.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "controller/instances/failure.h"

namespace updraft::controller {
namespace {

// A crash or two may be the world's fault; requests are held for a revision that comes back.
constexpr int kHopelessCrashes = 3;

// Reasons for which a further try is not expected to go better soon.
const std::set<std::string_view> kHopelessReasons = {"ImagePullBackOff", "InvalidImageName",
                                                     "ErrImageNeverPull", kConfigError};

}  // namespace

Trial NextTrial(Trial before, const TrialFacts& facts) {
  if (facts.ready > 0) return Trial::kOn;
  if (before == Trial::kGivenUp) return Trial::kGivenUp;
  if (facts.placed > 0) return facts.beyond_hope == facts.placed ? Trial::kGivenUp : Trial::kOn;
  // Nothing runs: an earlier controller may have given it up, or the autoscaler has.
  const bool was = facts.broken && (before == Trial::kUnjudged || facts.timed_out);
  return was && facts.waiting == 0 ? Trial::kGivenUp : Trial::kOn;
}

bool CrashLoops(const v1::InstanceReport& report) {
  if (report.phase() != v1::INSTANCE_BACKOFF) return false;
  return std::ranges::any_of(report.containers(), [](const v1::ContainerReport& container) {
    const bool ended = !container.running() && !IsDone(container);
    return container.restart_count() + (ended ? 1 : 0) >= kHopelessCrashes;
  });
}

bool HopelessNow(const Instance& instance, int start_failures) {
  if (kHopelessReasons.contains(instance.report.failure().reason())) return true;
  if (instance.phase == v1::INSTANCE_FAILED) return start_failures >= kHopelessCrashes;
  return CrashLoops(instance.report);
}

}  // namespace updraft::controller
