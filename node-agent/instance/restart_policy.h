// How long a container that ended waits for its next run: the kubelet's crash back-off. Pure.
#pragma once

#include <algorithm>

#include "core/base/clock.h"

namespace updraft::node_agent {

struct RestartPolicy {
  Nanos first = Seconds(10);                  // before the second restart; the first one is at once
  Nanos most = std::chrono::minutes(5);
  Nanos forgiven_after = std::chrono::minutes(10);  // a run that lasted longer wipes out the crashes before it
};

// The wait after the `crashes`-th crash in a row (>= 1): 0, 10 s, 20 s, 40 s, ... 5 min.
inline Nanos RestartDelay(const RestartPolicy& policy, int crashes) {
  if (crashes <= 1) return Nanos(0);
  Nanos delay = policy.first;
  for (int i = 2; i < crashes && delay < policy.most; ++i) delay *= 2;
  return std::min(delay, policy.most);
}

}  // namespace updraft::node_agent
