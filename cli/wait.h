// Waiting for another process from a command line that has nothing else to do.
#pragma once

#include <poll.h>

#include <functional>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::cli {

// Tries `condition` until it is Ok or the deadline has passed; then its last error.
inline Status WaitUntil(TimePoint deadline, const std::function<Status()>& condition) {
  constexpr int kPauseMillis = 20;
  while (true) {
    Status status = condition();
    if (status || RealClock().Now() >= deadline) return status;
    poll(nullptr, 0, kPauseMillis);
  }
}

}  // namespace updraft::cli
