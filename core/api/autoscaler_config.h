// ConfigMap config-autoscaler, with Knative's keys, defaults, checks and words. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/api/config_reader.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::api {

constexpr Nanos kStableWindowMin = Seconds(6);
constexpr Nanos kStableWindowMax = std::chrono::hours(1);

struct AutoscalerConfig {
  double container_concurrency_target_fraction =
      0.7;  // container-concurrency-target-percentage: 1 or less is a fraction, more a percentage
  double container_concurrency_target = 100;  // container-concurrency-target-default
  double requests_per_second_target = 200;    // requests-per-second-target-default
  double target_burst_capacity = 211;         // -1: unlimited
  double activator_capacity = 100;  // of no effect where the activator is always in the path
  Nanos stable_window = Seconds(60);
  double panic_window_percentage = 10;
  double panic_threshold_percentage = 200;
  double max_scale_up_rate = 1000;
  double max_scale_down_rate = 2;
  bool enable_scale_to_zero = true;
  Nanos scale_to_zero_grace_period = Seconds(30);
  Nanos scale_to_zero_pod_retention_period = Nanos(0);
  Nanos scale_down_delay = Nanos(0);
  std::string autoscaler_class = "kpa.autoscaling.knative.dev";  // pod-autoscaler-class
  int32_t initial_scale = 1;
  bool allow_zero_initial_scale = false;
  int32_t min_scale = 0;
  int32_t max_scale = 0;        // 0: unlimited
  int32_t max_scale_limit = 0;  // 0: none

  bool operator==(const AutoscalerConfig&) const = default;
};

// Keys that Knative does not know are ignored, as it does. kInvalidArgument in Knative's words: as
// there, one key that cannot be used makes the whole map unusable.
Result<AutoscalerConfig> ParseAutoscalerConfig(const ConfigKeys& keys);

// Whether Knative reads such a key.
bool IsAutoscalerConfigKey(std::string_view key);

}  // namespace updraft::api
