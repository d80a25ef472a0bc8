// How many instances a revision of class hpa should have: the formula of Kubernetes' HorizontalPodAutoscaler for cpu
// as a share of what is requested, and memory as an average per instance. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "autoscaler/kpa/policy.h"

namespace updraft::autoscaler {

// What one instance uses; an average over some seconds for cpu.
struct InstanceUsage {
  int64_t cpu_millis = 0;
  int64_t memory_bytes = 0;

  bool operator==(const InstanceUsage&) const = default;
};

struct UsageFacts {
  int current = 0;                    // instances that there should be as things stand
  int ready = 0;
  int unready = 0;                    // starting: those are taken to use nothing when they might be too few
  std::vector<InstanceUsage> usage = {};  // of ready ones; fewer than `ready`: some have not been read yet
  int64_t cpu_request_millis = 0;     // of one instance
};

// nullopt: nothing can be said (no reading, no request for cpu, another metric), so that all stays as it is. Within a
// tenth of the target nothing changes. Instances that have not been read count as using what would change least.
std::optional<int> RecommendedInstances(const Policy& policy, const UsageFacts& facts);

}  // namespace updraft::autoscaler
