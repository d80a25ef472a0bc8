// One revision of class hpa: what was recommended lately, and how fast its count may move. Pure.
//
// As Kubernetes' HorizontalPodAutoscaler with what Knative makes of a revision: looked at every 15 s. Without the
// annotation `window` the largest recommendation of the last five minutes holds, and a count at most doubles at once
// (four may always be reached). With it, it falls to the largest and rises to the smallest recommendation of the
// window, by at most four or by doubling.
#pragma once

#include <deque>
#include <optional>

#include "autoscaler/hpa/replicas.h"
#include "autoscaler/kpa/policy.h"
#include "core/base/clock.h"

namespace updraft::autoscaler {

class HpaScaler {
 public:
  // Whether it is time to look again.
  bool Due(TimePoint now) const { return !looked_ || now - *looked_ >= Seconds(15); }

  // The count to have. At least 1: a revision of this class does not go to zero.
  int Decide(const Policy& policy, const UsageFacts& facts, TimePoint now);

 private:
  struct Recommendation {
    TimePoint at;
    int count = 0;
  };

  int Stabilized(const Policy& policy, int current, int recommended, TimePoint now);

  std::optional<TimePoint> looked_;
  std::deque<Recommendation> recent_;
};

}  // namespace updraft::autoscaler
