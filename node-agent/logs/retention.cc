#include "node-agent/logs/retention.h"

#include <algorithm>
#include <map>

namespace updraft::node_agent {

std::vector<std::string> LogsToDelete(const RetentionPolicy& policy,
                                      std::vector<FinishedLogs> finished, WallTime now) {
  std::ranges::sort(finished, [](const FinishedLogs& a, const FinishedLogs& b) {
    return std::pair(b.finished_at, b.instance) <
           std::pair(a.finished_at, a.instance);  // newest first
  });
  std::map<std::string, size_t> kept_of_revision;
  uint64_t kept_bytes = 0;
  std::vector<std::string> deleted;
  for (const FinishedLogs& logs : finished) {
    const bool kept = now - logs.finished_at <= policy.age_max &&
                      kept_of_revision[logs.revision] < policy.per_revision_max &&
                      kept_bytes + logs.bytes <= policy.bytes_max;
    if (kept) {
      ++kept_of_revision[logs.revision];
      kept_bytes += logs.bytes;
    } else {
      deleted.push_back(logs.instance);
    }
  }
  return deleted;
}

}  // namespace updraft::node_agent
