#include "node-agent/spec/resources.h"

#include <algorithm>

namespace updraft::node_agent {
namespace {

constexpr int64_t kCpuPeriodMicros = 100'000;
constexpr int64_t kCpuQuotaMicrosMin = 1'000;   // the kernel's
constexpr int64_t kCpuSharesMin = 2;            // the kernel's
constexpr int64_t kCpuSharesMax = 262'144;      // the kernel's
constexpr uint64_t kOpenFilesHardMax = 1 << 20;
// Some programs walk over all descriptors that they might have: a soft limit in the millions makes them crawl.
constexpr uint64_t kOpenFilesSoftMax = 1 << 16;
constexpr int32_t kOomScoreLowest = 3;
constexpr int32_t kOomScoreBestEffort = 1000;

nlohmann::json Cpu(const v1::Resources& resources) {
  nlohmann::json cpu = nlohmann::json::object();
  // A limit without a request is a request of the same size, as in Kubernetes.
  const int64_t request =
      resources.cpu_request_millis() > 0 ? resources.cpu_request_millis() : resources.cpu_limit_millis();
  cpu["shares"] = std::clamp(request * 1024 / 1000, kCpuSharesMin, kCpuSharesMax);
  if (resources.cpu_limit_millis() > 0) {
    cpu["period"] = kCpuPeriodMicros;
    cpu["quota"] = std::max(resources.cpu_limit_millis() * kCpuPeriodMicros / 1000, kCpuQuotaMicrosMin);
  }
  return cpu;
}

}  // namespace

nlohmann::json CgroupResources(const v1::Resources& resources, const HostFacts& host) {
  nlohmann::json json;
  // The runtime adds the standard devices to this.
  json["devices"] = {{{"allow", false}, {"access", "rwm"}}};
  json["cpu"] = Cpu(resources);
  json["pids"] = {{"limit", resources.pids_limit() > 0 ? resources.pids_limit() : kPidsLimitDefault}};
  if (resources.memory_limit_bytes() > 0) {
    json["memory"]["limit"] = resources.memory_limit_bytes();
    // Memory and swap together: no swap, so that the limit means what it says.
    if (host.swap_limit) json["memory"]["swap"] = resources.memory_limit_bytes();
  }
  return json;
}

nlohmann::json Rlimits(const HostFacts& host) {
  const uint64_t hard = std::min(host.open_files_max, kOpenFilesHardMax);
  return {{{"type", "RLIMIT_NOFILE"}, {"hard", hard}, {"soft", std::min(hard, kOpenFilesSoftMax)}}};
}

int32_t OomScoreAdjust(const v1::Resources& resources, const HostFacts& host) {
  const int32_t lowest = std::max(kOomScoreLowest, host.oom_score_adjust + kOomScoreLowest);
  const int64_t request = resources.memory_request_bytes() > 0 ? resources.memory_request_bytes()
                                                               : resources.memory_limit_bytes();
  if (request <= 0 || host.memory_bytes <= 0) return kOomScoreBestEffort;
  const int64_t score = 1000 - 1000 * std::min(request, host.memory_bytes) / host.memory_bytes;
  return std::clamp(static_cast<int32_t>(score), std::min(lowest, 999), 999);
}

}  // namespace updraft::node_agent
