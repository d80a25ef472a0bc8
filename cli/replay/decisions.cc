#include "cli/replay/decisions.h"

#include <algorithm>
#include <set>

namespace updraft::cli {
namespace {

using autoscaler::Metric;
using autoscaler::Policy;

const std::set<std::string> kDeciderKeys = {
    "metric",         "target",           "total",        "targetBurstCapacity", "panicThreshold",
    "maxScaleUpRate", "maxScaleDownRate", "stableWindow", "scaleDownDelay",      "activationScale",
    "reachable",      "startReady"};
const std::set<std::string> kObservationKeys = {"at", "ready", "stable", "panic"};

// A file whose clock began elsewhere: no decider waits so long for its first observation.
constexpr Nanos kFirstObservationMax = Seconds(600);

void ReadPositive(InputLine& line, const char* key, double& into) {
  const auto value = line.Number(key);
  if (!value) return;
  if (*value <= 0) return line.Fault(std::string("\"") + key + "\" is to be above 0");
  into = *value;
}

void ReadMetric(InputLine& line, Policy& policy) {
  const auto metric = line.Text("metric");
  if (!metric) return;
  if (*metric != "concurrency" && *metric != "rps")
    return line.Fault("\"metric\" is to be concurrency or rps");
  policy.metric = *metric == "rps" ? Metric::kRequestsPerSecond : Metric::kConcurrency;
}

void ReadPolicy(InputLine& line, Policy& policy) {
  ReadMetric(line, policy);
  ReadPositive(line, "target", policy.target);
  ReadPositive(line, "total", policy.total);
  ReadPositive(line, "panicThreshold", policy.panic_threshold);
  ReadPositive(line, "maxScaleUpRate", policy.max_scale_up_rate);
  ReadPositive(line, "maxScaleDownRate", policy.max_scale_down_rate);
  if (const auto capacity = line.Number("targetBurstCapacity")) {
    if (*capacity < 0 && *capacity != -1)
      line.Fault("\"targetBurstCapacity\" is to be at least 0, or -1");
    policy.target_burst_capacity = *capacity;
  }
  if (line.Number("stableWindow")) policy.stable_window = line.SecondsOrFault("stableWindow");
  if (line.Number("scaleDownDelay"))
    policy.scale_down_delay = line.SecondsOrFault("scaleDownDelay");
  if (const auto scale = line.Count("activationScale")) policy.activation_scale = *scale;
}

}  // namespace

Result<std::string> DecisionReplay::Take(InputLine& line, const Warn& warn) {
  const Json& object = line.object();
  bool observes = false;
  Json settings = Json::object();
  for (const auto& [key, value] : object.items()) {
    if (kDeciderKeys.contains(key)) settings[key] = value;
    if (kObservationKeys.contains(key)) observes = true;
    if (key != "decider" && !kDeciderKeys.contains(key) && !kObservationKeys.contains(key))
      TellUnknown(line, key, warn);
  }
  if (line.Has("decider")) {
    const Json& decider = object.at("decider");
    if (!decider.is_object())
      return Error{Code::kInvalidArgument, "\"decider\" is to be an object"};
    for (const auto& [key, value] : decider.items()) {
      if (kDeciderKeys.contains(key)) {
        settings[key] = value;
      } else {
        TellUnknown(line, key, warn);
      }
    }
  } else if (!configured_) {
    return Error{Code::kInvalidArgument, "the first line is to be {\"decider\": {...}}"};
  }
  if (line.Has("decider") || !settings.empty()) {
    InputLine inner(settings, line.number());
    Configure(inner);
    if (inner.failed()) return inner.fault();
    if (!observes) return std::string();
  }
  return Observe(line);
}

void DecisionReplay::TellUnknown(const InputLine& line, const std::string& key, const Warn& warn) {
  if (told_.insert(key).second)
    warn("line " + std::to_string(line.number()) + ": \"" + key + "\" is not known");
}

void DecisionReplay::Configure(InputLine& settings) {
  ReadPolicy(settings, policy_);
  if (const auto reachable = settings.Flag("reachable")) reachable_ = *reachable;
  if (const auto ready = settings.Count("startReady")) {
    if (configured_)
      settings.Fault("\"startReady\" belongs on the first line: the decider is born already");
    start_ready_ = *ready;
  }
  if (!configured_) born_with_ = policy_;
  configured_ = true;
}

Result<std::string> DecisionReplay::Observe(InputLine& line) {
  const TimePoint at = TimePoint(line.SecondsOrFault("at"));
  if (at < last_at_) line.Fault("\"at\" is before that of the line above");
  const auto ready = line.Count("ready");
  const auto stable = line.Number("stable");
  const auto panic = line.Number("panic");
  if ((stable && *stable < 0) || (panic && *panic < 0))
    line.Fault("\"stable\" and \"panic\" are to be at least 0");
  if (line.failed()) return line.fault();
  last_at_ = at;
  if (!memory_) {
    const bool other_clock = at > TimePoint() + std::max(born_with_.stable_window, kFirstObservationMax);
    memory_ = autoscaler::BirthMemory(born_with_, start_ready_, other_clock ? at : TimePoint());
  }
  DecisionPoint point{.at = line.object().at("at").get<double>(),
                      .ready = ready.value_or(0),
                      .stable = stable.value_or(0),
                      .panic = panic.value_or(0)};
  autoscaler::Verdict verdict{.panic = memory_->panic_since.has_value()};
  if (ready && stable && panic) {
    verdict = autoscaler::Decide(
        policy_, {.stable = *stable, .panic = *panic, .ready = *ready, .reachable = reachable_},
        *memory_, at);
    point.valid = true;
  }
  point.desired = verdict.desired;
  point.panicking = verdict.panic;
  points_.push_back(point);
  const nlohmann::ordered_json answer = {
      {"at", line.object().at("at")},
      {"desired", verdict.desired},
      {"excessBurstCapacity", static_cast<int64_t>(verdict.excess_burst_capacity)},
      {"panic", verdict.panic},
      {"valid", point.valid}};
  return answer.dump();
}

}  // namespace updraft::cli
