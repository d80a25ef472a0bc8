#include "cli/replay/account.h"

#include <algorithm>
#include <cmath>

#include "core/api/json.h"

namespace updraft::cli {
namespace {

// To the microsecond: what is beyond it is noise of the arithmetic.
double Rounded(double value) { return std::round(value * 1e6) / 1e6; }

double Quantile(const std::vector<double>& sorted, double fraction) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<size_t>(fraction * static_cast<double>(sorted.size())))];
}

}  // namespace

Percentiles PercentilesOf(std::vector<double>& latencies) {
  std::ranges::sort(latencies);
  return {Quantile(latencies, 0.5), Quantile(latencies, 0.9), Quantile(latencies, 0.99)};
}

std::string ToJsonLine(const AccountRow& row) {
  const nlohmann::ordered_json line = {
      {"at", Rounded(row.at)},           {"ready", row.ready},
      {"starting", row.starting},        {"desired", row.desired},
      {"inFlight", row.in_flight},       {"queue", row.queue},
      {"requests", row.requests},        {"coldStarts", row.cold_starts},
      {"p50", Rounded(row.latency.p50)}, {"p90", Rounded(row.latency.p90)},
      {"p99", Rounded(row.latency.p99)}, {"instanceSeconds", Rounded(row.instance_seconds)}};
  return line.dump();
}

std::string ToJsonLine(const std::string& manifest, const AccountSum& sum) {
  const nlohmann::ordered_json line = {{"summary", manifest},
                                       {"requests", sum.requests},
                                       {"coldStarts", sum.cold_starts},
                                       {"starts", sum.starts},
                                       {"instancesMax", sum.instances_max},
                                       {"p50", Rounded(sum.latency.p50)},
                                       {"p90", Rounded(sum.latency.p90)},
                                       {"p99", Rounded(sum.latency.p99)},
                                       {"max", Rounded(sum.latency_max)},
                                       {"instanceSeconds", Rounded(sum.instance_seconds)}};
  return line.dump();
}

}  // namespace updraft::cli
