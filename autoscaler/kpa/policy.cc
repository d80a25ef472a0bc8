#include "autoscaler/kpa/policy.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>

#include "core/api/duration.h"

namespace updraft::autoscaler {
namespace {

using Texts = std::map<std::string, std::string>;

constexpr double kRequestsPerSecondFraction = 0.7;  // a constant in Knative
constexpr double kTargetMin = 0.01;

std::optional<double> ParseNumber(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<int> ParseCount(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<bool> ParseFlag(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE" || text == "1" || text == "t") return true;
  if (text == "false" || text == "False" || text == "FALSE" || text == "0" || text == "f") return false;
  return std::nullopt;
}

std::optional<Nanos> ParseDuration(const std::string& text) { return api::ParseGoDuration(text); }

// The first of `names` below autoscaling.knative.dev/ that is present and readable.
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
  fraction = annotations.Number({"target-utilization-percentage", "targetUtilizationPercentage"}, fraction * 100) / 100;
  policy.target = std::max(kTargetMin, policy.total * fraction);
}

Nanos PanicWindow(Nanos stable, double percentage) {
  const double seconds = std::round(std::chrono::duration<double>(stable).count() * percentage / 100);
  return std::max<Nanos>(Seconds(1), Seconds(static_cast<int64_t>(seconds)));
}

// Assigns a parsed value, or describes what was expected.
template <typename T>
struct Key {
  const char* name;
  T* into;
  std::optional<T> (*parse)(const std::string&);
  const char* expected;
  bool (*valid)(T) = nullptr;
};

template <typename T>
bool Assign(const std::string& name, const std::string& text, const Key<T>& key, Texts& errors) {
  if (name != key.name) return false;
  const std::optional<T> value = key.parse(text);
  if (value && (key.valid == nullptr || key.valid(*value))) {
    *key.into = *value;
  } else {
    errors[name] = "\"" + text + "\": " + key.expected;
  }
  return true;
}

bool Positive(double value) { return value > 0; }
bool AtLeastOne(double value) { return value > 1; }
bool Window6sTo1h(Nanos value) {
  return value >= Seconds(6) && value <= std::chrono::hours(1) && value % Seconds(1) == Nanos(0);
}
bool UpTo1h(Nanos value) { return value >= Nanos(0) && value <= std::chrono::hours(1); }
bool BurstCapacity(double value) { return value >= 0 || value == -1; }
bool Percentage(double value) { return value >= 1 && value <= 100; }
bool PanicThreshold(double value) { return value >= 110 && value <= 1000; }

bool AssignNumber(const std::string& name, const std::string& text, Defaults& d, double& fraction, Texts& errors) {
  const Key<double> keys[] = {
      {"container-concurrency-target-percentage", &fraction, ParseNumber, "a positive number", Positive},
      {"container-concurrency-target-default", &d.container_concurrency_target, ParseNumber, "a number above 0", Positive},
      {"requests-per-second-target-default", &d.requests_per_second_target, ParseNumber, "a number above 0", Positive},
      {"target-burst-capacity", &d.target_burst_capacity, ParseNumber, "a number from 0, or -1", BurstCapacity},
      {"panic-window-percentage", &d.panic_window_percentage, ParseNumber, "1 to 100", Percentage},
      {"panic-threshold-percentage", &d.panic_threshold_percentage, ParseNumber, "110 to 1000", PanicThreshold},
      {"max-scale-up-rate", &d.max_scale_up_rate, ParseNumber, "a number above 1", AtLeastOne},
      {"max-scale-down-rate", &d.max_scale_down_rate, ParseNumber, "a number above 1", AtLeastOne}};
  return std::ranges::any_of(keys, [&](const auto& key) { return Assign(name, text, key, errors); });
}

bool AssignOther(const std::string& name, const std::string& text, Defaults& d, Texts& errors) {
  const Key<Nanos> durations[] = {
      {"stable-window", &d.stable_window, ParseDuration, "6s to 1h in whole seconds", Window6sTo1h},
      {"scale-to-zero-grace-period", &d.scale_to_zero_grace_period, ParseDuration, "a duration such as 30s"},
      {"scale-to-zero-pod-retention-period", &d.scale_to_zero_pod_retention_period, ParseDuration, "0s to 1h", UpTo1h},
      {"scale-down-delay", &d.scale_down_delay, ParseDuration, "0s to 1h", UpTo1h}};
  const Key<int> counts[] = {{"initial-scale", &d.initial_scale, ParseCount, "a whole number from 0"},
                             {"min-scale", &d.min_scale, ParseCount, "a whole number from 0"},
                             {"max-scale", &d.max_scale, ParseCount, "a whole number from 0"},
                             {"max-scale-limit", &d.max_scale_limit, ParseCount, "a whole number from 0"}};
  const Key<bool> flags[] = {{"enable-scale-to-zero", &d.enable_scale_to_zero, ParseFlag, "true or false"},
                             {"allow-zero-initial-scale", &d.allow_zero_initial_scale, ParseFlag, "true or false"}};
  const auto assign = [&](const auto& key) { return Assign(name, text, key, errors); };
  return std::ranges::any_of(durations, assign) || std::ranges::any_of(counts, assign) || std::ranges::any_of(flags, assign);
}

}  // namespace

Defaults ParseDefaults(const Texts& keys, Texts& errors) {
  Defaults defaults;
  double fraction = defaults.container_concurrency_target_fraction * 100;
  for (const auto& [name, text] : keys) {
    // Of Knative's that mean nothing where the activator is always in the path and one class is there.
    if (name == "activator-capacity" || name == "pod-autoscaler-class" || name == "_example") continue;
    if (!AssignNumber(name, text, defaults, fraction, errors) && !AssignOther(name, text, defaults, errors)) {
      errors[name] = "unknown key";
    }
  }
  defaults.container_concurrency_target_fraction = fraction <= 1 ? fraction : fraction / 100;
  return defaults;
}

Policy MakePolicy(const Defaults& defaults, const Texts& texts, int container_concurrency) {
  const Annotations annotations{texts};
  Policy policy;
  policy.metric = annotations.Text({"metric"}) == "rps" ? Metric::kRequestsPerSecond : Metric::kConcurrency;
  SetTarget(defaults, annotations, container_concurrency, policy);
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
  if (policy.initial_scale == 0 && !defaults.allow_zero_initial_scale) policy.initial_scale = 1;
  policy.min_scale = annotations.Count({"min-scale", "minScale"}, defaults.min_scale);
  policy.max_scale = annotations.Count({"max-scale", "maxScale"}, defaults.max_scale);
  return policy;
}

}  // namespace updraft::autoscaler
