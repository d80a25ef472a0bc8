// The node-agent's metrics. Only its .cc knows prometheus-cpp.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/metrics/exposition.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

// What the page shows besides what is counted. Filled in each time it is fetched, on the loop.
struct NodeFigures {
  std::map<v1::InstancePhase, int> instances;
  size_t networks_ready = 0;
  size_t creates_running = 0;
  size_t creates_waiting = 0;
  uint64_t log_bytes_written = 0;
  uint64_t log_bytes_dropped = 0;
  bool runtime_connected = false;
  bool controller_connected = false;
};

// How long each phase of one start took; those that did not happen are left out.
struct StartPhases {
  std::map<std::string, Nanos> phases;  // "claimed", "started", "listening", "ready"
  Nanos whole{0};
};

// Between `accepted` and what the report says; nullopt: it is not ready, or was started by an earlier agent. Pure.
std::optional<StartPhases> PhasesOf(const v1::InstanceReport& report, WallTime accepted);

// Loop thread only, but for the registry behind it.
class Metrics {
 public:
  // `exposition` must outlive it, and is not rendered after it.
  Metrics(metrics::Exposition& exposition, std::function<NodeFigures()> figures);
  ~Metrics();

  void OnAccepted(const std::string& instance_id, WallTime at);
  // Each report of each instance, in order. The phases of its start when this is the first that says READY.
  std::optional<StartPhases> OnReport(const v1::InstanceReport& report);
  enum class Pull { kSucceeded, kFailed };
  void OnImagePull(Pull outcome, Nanos took);

 private:
  struct Counted;
  struct Seen {
    std::optional<WallTime> accepted = std::nullopt;  // unset: by an earlier agent
    std::map<std::string, int> restarts = {};
    std::map<std::string, int64_t> last_end_ns = {};
    bool ready = false;
  };

  const std::unique_ptr<Counted> counted_;
  std::map<std::string, Seen> seen_;
};

}  // namespace updraft::node_agent
