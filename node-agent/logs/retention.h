// Which logs of instances that are over are kept. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace updraft::node_agent {

struct RetentionPolicy {
  size_t per_revision_max = 10;
  Nanos age_max = std::chrono::hours(1);
  uint64_t bytes_max = 1 << 30;  // of all finished instances' logs together
};

// The logs of an instance that is over.
struct FinishedLogs {
  std::string instance{};
  std::string revision{};
  WallTime finished_at{};
  uint64_t bytes = 0;
};

// The instances whose logs are to be deleted: the oldest, as far as a bound asks for it.
std::vector<std::string> LogsToDelete(const RetentionPolicy& policy,
                                      std::vector<FinishedLogs> finished, WallTime now);

}  // namespace updraft::node_agent
