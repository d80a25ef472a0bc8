#include "core/api/autoscaler_config.h"

#include <algorithm>
#include <cstdio>

#include "core/api/duration.h"
#include "core/api/field_error.h"
#include "core/api/invalid_argument.h"

namespace updraft::api {
namespace {

using Config = AutoscalerConfig;

constexpr double kTargetMin = 0.01;

template <typename T>
struct Key {
  std::string_view name;
  T Config::*into;
};

constexpr Key<double> kNumbers[] = {
    {"max-scale-up-rate", &Config::max_scale_up_rate},
    {"max-scale-down-rate", &Config::max_scale_down_rate},
    {"container-concurrency-target-percentage", &Config::container_concurrency_target_fraction},
    {"container-concurrency-target-default", &Config::container_concurrency_target},
    {"requests-per-second-target-default", &Config::requests_per_second_target},
    {"target-burst-capacity", &Config::target_burst_capacity},
    {"panic-window-percentage", &Config::panic_window_percentage},
    {"activator-capacity", &Config::activator_capacity},
    {"panic-threshold-percentage", &Config::panic_threshold_percentage}};
constexpr Key<int32_t> kCounts[] = {{"initial-scale", &Config::initial_scale},
                                    {"min-scale", &Config::min_scale},
                                    {"max-scale", &Config::max_scale},
                                    {"max-scale-limit", &Config::max_scale_limit}};
constexpr Key<bool> kFlags[] = {{"enable-scale-to-zero", &Config::enable_scale_to_zero},
                                {"allow-zero-initial-scale", &Config::allow_zero_initial_scale}};
constexpr Key<Nanos> kDurations[] = {
    {"stable-window", &Config::stable_window},
    {"scale-down-delay", &Config::scale_down_delay},
    {"scale-to-zero-grace-period", &Config::scale_to_zero_grace_period},
    {"scale-to-zero-pod-retention-period", &Config::scale_to_zero_pod_retention_period}};
constexpr Key<std::string> kTexts[] = {{"pod-autoscaler-class", &Config::autoscaler_class}};

template <typename T, size_t n>
Status ReadAll(const ConfigKeys& data, const Key<T> (&keys)[n], Config& config) {
  for (const Key<T>& key : keys) {
    const auto it = data.find(std::string(key.name));
    if (it == data.end()) continue;
    const std::string why = ReadValue(it->second, config.*key.into);
    if (!why.empty())
      return InvalidArgument("failed to parse data: failed to parse " + Quoted(key.name) + ": " +
                             why);
  }
  return Ok();
}

template <typename T, size_t n>
bool Names(const Key<T> (&keys)[n], std::string_view name) {
  return std::ranges::any_of(keys, [name](const Key<T>& key) { return key.name == name; });
}

std::string Decimal6(double value) {
  char text[400];
  std::snprintf(text, sizeof text, "%f", value);
  return text;
}

// "key = 5, rule", which is how most of Knative's checks end.
Error Refuse(const std::string& key, const std::string& value, const std::string& rule) {
  return InvalidArgument(key + " = " + value + ", " + rule);
}

Status CheckPeriods(const Config& c) {
  if (c.scale_to_zero_grace_period <= Nanos(0)) {
    return InvalidArgument("scale-to-zero-grace-period must be positive, was: " +
                           FormatGoDuration(c.scale_to_zero_grace_period));
  }
  if (c.scale_down_delay < Nanos(0)) {
    return InvalidArgument("scale-down-delay cannot be negative, was: " +
                           FormatGoDuration(c.scale_down_delay));
  }
  if (c.scale_down_delay % Seconds(1) != Nanos(0)) {
    return Refuse("scale-down-delay", FormatGoDuration(c.scale_down_delay),
                  "must be specified with at most second precision");
  }
  if (c.scale_to_zero_pod_retention_period < Nanos(0)) {
    return InvalidArgument("scale-to-zero-pod-retention-period cannot be negative, was: " +
                           FormatGoDuration(c.scale_to_zero_pod_retention_period));
  }
  return Ok();
}

Status CheckTargets(const Config& c) {
  if (c.target_burst_capacity < 0 && c.target_burst_capacity != -1) {
    return InvalidArgument(
        "target-burst-capacity must be either non-negative or -1 (for unlimited), was: " +
        Decimal6(c.target_burst_capacity));
  }
  const double fraction = c.container_concurrency_target_fraction;
  if (fraction <= 0 || fraction > 1) {
    return InvalidArgument("container-concurrency-target-percentage = " + Decimal6(fraction) +
                           " is outside of valid range of (0, 100]");
  }
  const double target = fraction * c.container_concurrency_target;
  if (target < kTargetMin) {
    return InvalidArgument(
        "container-concurrency-target-percentage and container-concurrency-target-default yield "
        "target concurrency of " +
        FormatFloat(target) + ", can't be less than " + FormatFloat(kTargetMin));
  }
  if (c.requests_per_second_target < kTargetMin) {
    return InvalidArgument("requests-per-second-target-default must be at least " +
                           FormatFloat(kTargetMin) +
                           ", was: " + FormatFloat(c.requests_per_second_target));
  }
  if (c.activator_capacity < 1)
    return Refuse("activator-capacity", FormatFloat(c.activator_capacity), "must be at least 1");
  return Ok();
}

Status CheckRatesAndWindows(const Config& c) {
  if (c.max_scale_up_rate <= 1) {
    return Refuse("max-scale-up-rate", FormatFloat(c.max_scale_up_rate),
                  "must be greater than 1.0");
  }
  if (c.max_scale_down_rate <= 1) {
    return Refuse("max-scale-down-rate", FormatFloat(c.max_scale_down_rate),
                  "must be greater than 1.0");
  }
  const std::string window = FormatGoDuration(c.stable_window);
  if (c.stable_window < kStableWindowMin || c.stable_window > kStableWindowMax) {
    return Refuse("stable-window", window,
                  "must be in [" + FormatGoDuration(kStableWindowMin) + "; " +
                      FormatGoDuration(kStableWindowMax) + "] range");
  }
  if (c.stable_window % Seconds(1) != Nanos(0)) {
    return Refuse("stable-window", window, "must be specified with at most second precision");
  }
  if (c.panic_window_percentage < 1 || c.panic_window_percentage > 100) {
    return Refuse("panic-window-percentage", FormatFloat(c.panic_window_percentage),
                  "must be in [1, 100] interval");
  }
  return Ok();
}

Status CheckScales(const Config& c) {
  if (c.initial_scale < 0 || (c.initial_scale == 0 && !c.allow_zero_initial_scale)) {
    return Refuse("initial-scale", std::to_string(c.initial_scale),
                  "must be at least 0 (or at least 1 when allow-zero-initial-scale is false)");
  }
  if (c.min_scale < 0)
    return Refuse("min-scale", std::to_string(c.min_scale), "must be at least 0");
  // With a limit, the default must not be unlimited.
  const int least = c.max_scale_limit > 0 ? 1 : 0;
  if (c.max_scale < least || (c.max_scale_limit > 0 && c.max_scale > c.max_scale_limit)) {
    return Refuse("max-scale", std::to_string(c.max_scale),
                  "must be in [" + std::to_string(least) + ", max-scale-limit(" +
                      std::to_string(c.max_scale_limit) + ")] range");
  }
  if (c.max_scale_limit < 0)
    return Refuse("max-scale-limit", std::to_string(c.max_scale_limit), "must be at least 0");
  if (c.min_scale > c.max_scale && c.max_scale > 0) {
    return InvalidArgument("min-scale (" + std::to_string(c.min_scale) +
                           ") must be less than max-scale (" + std::to_string(c.max_scale) + ")");
  }
  return Ok();
}

}  // namespace

Result<AutoscalerConfig> ParseAutoscalerConfig(const ConfigKeys& keys) {
  Config config;
  Status read = ReadAll(keys, kTexts, config);
  if (read) read = ReadAll(keys, kFlags, config);
  if (read) read = ReadAll(keys, kNumbers, config);
  if (read) read = ReadAll(keys, kCounts, config);
  if (read) read = ReadAll(keys, kDurations, config);
  if (!read) return read.error();
  if (config.container_concurrency_target_fraction > 1)
    config.container_concurrency_target_fraction /= 100;
  for (const auto check : {CheckPeriods, CheckTargets, CheckRatesAndWindows, CheckScales}) {
    if (Status checked = check(config); !checked) return checked.error();
  }
  return config;
}

bool IsAutoscalerConfigKey(std::string_view key) {
  return Names(kNumbers, key) || Names(kCounts, key) || Names(kFlags, key) ||
         Names(kDurations, key) || Names(kTexts, key);
}

}  // namespace updraft::api
