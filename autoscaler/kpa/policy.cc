#include "autoscaler/kpa/policy.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "core/api/constants.h"
#include "core/api/duration.h"
#include "core/api/go_number.h"

namespace updraft::autoscaler {
namespace {

using Texts = std::map<std::string, std::string>;

constexpr double kRequestsPerSecondFraction = 0.7;  // a constant in Knative
constexpr double kTargetMin = 0.01;

std::optional<double> ParseNumber(const std::string& text) {
  double value = 0;
  if (api::ParseGoFloat(text, value) != api::GoNumber::kRead || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<int> ParseCount(const std::string& text) {
  int64_t value = 0;
  if (api::ParseGoInt(text, 32, value) != api::GoNumber::kRead || value < 0) return std::nullopt;
  return static_cast<int>(value);
}

std::optional<Nanos> ParseDuration(const std::string& text) { return api::ParseGoDuration(text); }

// The first of `names` below autoscaling.knative.dev/ that is present, if it is readable.
template <typename T>
std::optional<T> Annotation(const Texts& annotations, std::initializer_list<const char*> names,
                            const std::function<std::optional<T>(const std::string&)>& parse) {
  for (const char* name : names) {
    const auto it = annotations.find(std::string("autoscaling.knative.dev/") + name);
    if (it != annotations.end()) return parse(it->second);
  }
  return std::nullopt;
}

struct Annotations {
  const Texts& texts;
  using Names = std::initializer_list<const char*>;

  double Number(Names names, double otherwise) const {
    return Annotation<double>(texts, names, ParseNumber).value_or(otherwise);
  }
  int Count(Names names, int otherwise) const { return Annotation<int>(texts, names, ParseCount).value_or(otherwise); }
  Nanos Duration(Names names, Nanos otherwise) const {
    return Annotation<Nanos>(texts, names, ParseDuration).value_or(otherwise);
  }
  std::string Text(Names names) const {
    const auto parse = [](const std::string& text) { return std::optional(text); };
    return Annotation<std::string>(texts, names, parse).value_or("");
  }
};

// What one instance can take, and the fraction of it that is aimed at (3.3 of the algorithm's description).
void SetTarget(const Defaults& defaults, const Annotations& annotations, int container_concurrency, Policy& policy) {
  double fraction = kRequestsPerSecondFraction;
  if (policy.metric == Metric::kConcurrency) {
    fraction = defaults.container_concurrency_target_fraction;
    policy.total = container_concurrency > 0 ? container_concurrency : defaults.container_concurrency_target;
  } else {
    policy.total = defaults.requests_per_second_target;
  }
  if (const double wished = annotations.Number({"target"}, 0); wished > 0) {
    const bool capped = policy.metric == Metric::kConcurrency && container_concurrency > 0;
    policy.total = capped ? std::min(wished, static_cast<double>(container_concurrency)) : wished;
  }
  const double percentage = annotations.Number({"target-utilization-percentage", "targetUtilizationPercentage"}, 0);
  if (percentage > 0) fraction = percentage / 100;
  policy.target = std::max(kTargetMin, policy.total * fraction);
}

// As Knative makes a HorizontalPodAutoscaler of a revision: without a target Kubernetes' own default holds, 80 percent
// of the requested cpu.
void SetUsageTarget(const Annotations& annotations, Policy& policy) {
  constexpr double kCpuPercentDefault = 80;
  const std::string metric = annotations.Text({"metric"});
  const double wished = annotations.Number({"target"}, 0);
  policy.metric = Metric::kCpu;
  policy.total = wished > 0 ? std::ceil(wished) : kCpuPercentDefault;
  if (wished > 0 && metric == "memory") {
    policy.metric = Metric::kMemory;
    policy.total = std::max(1.0, std::floor(wished));
  } else if (wished > 0 && !metric.empty() && metric != "cpu") {
    policy.metric = Metric::kNone;
  }
  policy.target = policy.total;
  if (const Nanos window = annotations.Duration({"window"}, Nanos(0)); window > Nanos(0)) policy.stabilization = window;
}

Nanos PanicWindow(Nanos stable, double percentage) {
  const double exact = static_cast<double>(stable.count()) * percentage / 100;
  const Nanos rounded = std::chrono::duration_cast<Seconds>(Nanos(static_cast<int64_t>(exact)) + Millis(500));
  return std::max<Nanos>(Seconds(1), rounded);
}

std::string OwnAnnotation(const Texts& texts, std::string_view key) {
  const auto it = texts.find(std::string(key));
  return it == texts.end() ? std::string() : it->second;
}

void SetFloors(const Texts& texts, Policy& policy) {
  if (const std::string text = OwnAnnotation(texts, api::kScheduleAnnotation); !text.empty()) {
    if (auto schedule = api::Schedule::Parse(text)) policy.schedule = *std::move(schedule);
  }
  policy.adaptive_keep_alive = OwnAnnotation(texts, api::kKeepAliveAnnotation) == api::kKeepAliveAdaptive;
}

}  // namespace

Defaults ParseDefaults(const Texts& keys, Texts& errors) {
  Texts usable;
  Defaults defaults;
  for (const auto& [name, text] : keys) {
    if (name == "_example") continue;
    if (!api::IsAutoscalerConfigKey(name)) {
      errors[name] = "unknown key";
      continue;
    }
    usable[name] = text;
    if (const Result<Defaults> parsed = api::ParseAutoscalerConfig(usable)) {
      defaults = *parsed;
    } else {
      errors[name] = parsed.error().message;
      usable.erase(name);
    }
  }
  return defaults;
}

Policy MakePolicy(const Defaults& defaults, const Texts& texts, int container_concurrency) {
  const Annotations annotations{texts};
  Policy policy;
  const std::string scaler_class = annotations.Text({"class"});
  const bool hpa = (scaler_class.empty() ? defaults.autoscaler_class : scaler_class) == api::kHpaClass;
  policy.scaler_class = hpa ? ScalerClass::kHpa : ScalerClass::kKpa;
  policy.metric = annotations.Text({"metric"}) == "rps" ? Metric::kRequestsPerSecond : Metric::kConcurrency;
  if (hpa) {
    SetUsageTarget(annotations, policy);
  } else {
    SetTarget(defaults, annotations, container_concurrency, policy);
  }
  policy.target_burst_capacity =
      annotations.Number({"target-burst-capacity", "targetBurstCapacity"}, defaults.target_burst_capacity);
  policy.panic_threshold = annotations.Number({"panic-threshold-percentage", "panicThresholdPercentage"},
                                              defaults.panic_threshold_percentage) / 100;
  policy.max_scale_up_rate = defaults.max_scale_up_rate;
  policy.max_scale_down_rate = defaults.max_scale_down_rate;
  policy.stable_window = annotations.Duration({"window"}, defaults.stable_window);
  policy.panic_window = PanicWindow(policy.stable_window,
                                    annotations.Number({"panic-window-percentage", "panicWindowPercentage"},
                                                       defaults.panic_window_percentage));
  const std::string algorithm = annotations.Text({"metric-aggregation-algorithm", "metricAggregationAlgorithm"});
  const bool weighted = algorithm == "weighted-exponential" || algorithm == "weightedExponential";
  policy.averaging = weighted ? Averaging::kWeightedExponential : Averaging::kLinear;
  policy.scale_down_delay = annotations.Duration({"scale-down-delay", "scaleDownDelay"}, defaults.scale_down_delay);
  policy.retention = annotations.Duration({"scale-to-zero-pod-retention-period", "scaleToZeroPodRetentionPeriod"},
                                          defaults.scale_to_zero_pod_retention_period);
  policy.grace = defaults.scale_to_zero_grace_period;
  policy.scale_to_zero = defaults.enable_scale_to_zero;
  policy.activation_scale = annotations.Count({"activation-scale"}, 0);
  policy.initial_scale = annotations.Count({"initial-scale", "initialScale"}, defaults.initial_scale);
  if (policy.initial_scale == 0 && !defaults.allow_zero_initial_scale) policy.initial_scale = defaults.initial_scale;
  policy.min_scale = annotations.Count({"min-scale", "minScale"}, defaults.min_scale);
  policy.max_scale = annotations.Count({"max-scale", "maxScale"}, defaults.max_scale);
  SetFloors(texts, policy);
  return policy;
}

}  // namespace updraft::autoscaler
