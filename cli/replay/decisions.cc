#include "cli/replay/decisions.h"

#include <algorithm>
#include <set>

namespace updraft::cli {
namespace {

using autoscaler::Metric;
using autoscaler::Policy;

const std::set<std::string> kKeys = {
    "metric",         "target",           "total",        "targetBurstCapacity", "panicThreshold",
    "maxScaleUpRate", "maxScaleDownRate", "stableWindow", "scaleDownDelay",      "activationScale",
    "reachable",      "startReady"};

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

Status DecisionReplay::Configure(InputLine& line,
                                 const std::function<void(const std::string&)>& warn) {
  const Json& settings = line.object().at("decider");
  if (!settings.is_object()) return Error{Code::kInvalidArgument, "\"decider\" is to be an object"};
  InputLine inner(settings, line.number());
  for (const auto& [key, value] : settings.items()) {
    if (!kKeys.contains(key))
      warn("line " + std::to_string(line.number()) + ": \"" + key + "\" is not known");
  }
  ReadPolicy(inner, policy_);
  if (const auto reachable = inner.Flag("reachable")) reachable_ = *reachable;
  if (const auto ready = inner.Count("startReady")) {
    if (configured_)
      inner.Fault("\"startReady\" belongs on the first line: the decider is born already");
    start_ready_ = *ready;
  }
  if (!configured_) born_with_ = policy_;
  configured_ = true;
  if (inner.failed()) return inner.fault();
  return Ok();
}

Result<std::string> DecisionReplay::Observe(InputLine& line) {
  if (!configured_)
    return Error{Code::kInvalidArgument, "the first line is to be {\"decider\": {...}}"};
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
    const bool other_clock = at > TimePoint() + born_with_.stable_window;
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
