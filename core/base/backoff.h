// How long to wait before the next try: doubling from `first` to `most`, with jitter handed in.
// Pure.
#pragma once

#include <algorithm>

#include "core/base/clock.h"

namespace updraft {

struct BackoffPolicy {
  Nanos first = Millis(100);
  Nanos most = Seconds(30);
};

// The wait after `failures` failures in a row (>= 1). `jitter` in [0, 1) spreads it over the upper half.
inline Nanos BackoffDelay(const BackoffPolicy& policy, int failures, double jitter) {
  Nanos delay = policy.first;
  for (int i = 1; i < failures && delay < policy.most; ++i) delay *= 2;
  delay = std::min(delay, policy.most);
  return delay / 2 + Nanos(static_cast<int64_t>(static_cast<double>(delay.count()) / 2 * jitter));
}

}  // namespace updraft
