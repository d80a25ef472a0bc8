// How one revision wants to be scaled: the cluster's defaults (Knative's ConfigMap config-autoscaler) and the
// revision's annotations, made into one immutable value. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "autoscaler/kpa/window.h"
#include "core/base/clock.h"

namespace updraft::autoscaler {

// The keys of config-autoscaler with Knative's defaults.
struct Defaults {
  double container_concurrency_target_fraction = 0.7;   // container-concurrency-target-percentage / 100
  double container_concurrency_target = 100;            // container-concurrency-target-default
  double requests_per_second_target = 200;              // requests-per-second-target-default
  double target_burst_capacity = 211;
  Nanos stable_window = Seconds(60);
  double panic_window_percentage = 10;
  double panic_threshold_percentage = 200;
  double max_scale_up_rate = 1000;
  double max_scale_down_rate = 2;
  bool enable_scale_to_zero = true;
  Nanos scale_to_zero_grace_period = Seconds(30);
  Nanos scale_to_zero_pod_retention_period = Nanos(0);
  Nanos scale_down_delay = Nanos(0);
  int initial_scale = 1;
  bool allow_zero_initial_scale = false;
  int min_scale = 0;
  int max_scale = 0;        // 0: unlimited
  int max_scale_limit = 0;  // 0: unlimited
};

// Reads keys of config-autoscaler. A key that is unknown or cannot be used keeps its default and is described in
// `errors` under its name.
Defaults ParseDefaults(const std::map<std::string, std::string>& keys, std::map<std::string, std::string>& errors);

enum class Metric { kConcurrency, kRequestsPerSecond };

struct Policy {
  Metric metric = Metric::kConcurrency;
  double total = 100;   // what one instance can take: requests in flight, or requests per second
  double target = 70;   // what the autoscaler aims at; >= 0.01
  double target_burst_capacity = 211;  // -1: unlimited
  double panic_threshold = 2;          // factor of ready instances
  double max_scale_up_rate = 1000;
  double max_scale_down_rate = 2;
  Nanos stable_window = Seconds(60);
  Nanos panic_window = Seconds(6);
  Averaging averaging = Averaging::kLinear;
  Nanos scale_down_delay = Nanos(0);
  Nanos retention = Nanos(0);          // keep the last instance at least that long after the end of traffic
  Nanos grace = Seconds(30);           // scale-to-zero-grace-period
  bool scale_to_zero = true;
  int activation_scale = 0;            // 0: off
  int initial_scale = 1;
  int min_scale = 0;
  int max_scale = 0;                   // 0: unlimited

  bool operator==(const Policy&) const = default;
};

// `annotations` have been validated when they were accepted; what cannot be read all the same counts as absent.
// Of a key's names (the present one and the older camelCase one) the first that is present wins.
Policy MakePolicy(const Defaults& defaults, const std::map<std::string, std::string>& annotations,
                  int container_concurrency);

}  // namespace updraft::autoscaler
