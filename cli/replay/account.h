// What a replay of requests comes to, over time and in all. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace updraft::cli {

struct Percentiles {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
};

// Of seconds; sorts them. Of none: 0.
Percentiles PercentilesOf(std::vector<double>& latencies);

// The state at the end of an interval, and what came in it.
struct AccountRow {
  double at = 0;  // seconds
  int ready = 0;
  int starting = 0;
  int desired = 0;
  int in_flight = 0;
  size_t queue = 0;
  uint64_t requests = 0;        // arrived in the interval
  uint64_t cold_starts = 0;     // of them
  Percentiles latency = {};     // seconds, of those that ended in the interval
  double instance_seconds = 0;  // since the beginning
};

struct AccountSum {
  uint64_t requests = 0;
  uint64_t cold_starts = 0;
  uint64_t starts = 0;  // of instances
  int instances_max = 0;
  Percentiles latency = {};
  double latency_max = 0;
  double instance_seconds = 0;
};

std::string ToJsonLine(const AccountRow& row);
std::string ToJsonLine(const std::string& manifest, const AccountSum& sum);

}  // namespace updraft::cli
