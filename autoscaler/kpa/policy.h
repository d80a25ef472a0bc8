// How one revision wants to be scaled: the cluster's defaults (Knative's ConfigMap config-autoscaler) and the
// revision's annotations, made into one immutable value. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "autoscaler/kpa/window.h"
#include "core/api/autoscaler_config.h"
#include "core/api/schedule.h"
#include "core/base/clock.h"

namespace updraft::autoscaler {

using Defaults = api::AutoscalerConfig;

// The keys of a file, where one that is unknown or cannot be used, alone or beside those before it, does not spoil the
// others: it keeps its default and is described in `errors` under its name.
Defaults ParseDefaults(const std::map<std::string, std::string>& keys, std::map<std::string, std::string>& errors);

// kpa follows requests, hpa what instances use of their nodes.
enum class ScalerClass { kKpa, kHpa };

// kNone: of class hpa, and none that is known here.
enum class Metric { kConcurrency, kRequestsPerSecond, kCpu, kMemory, kNone };

struct Policy {
  ScalerClass scaler_class = ScalerClass::kKpa;
  Metric metric = Metric::kConcurrency;
  double total = 100;   // what one instance can take: requests in flight, or per second; percent of cpu; MiB
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
  std::optional<Nanos> stabilization = std::nullopt;        // class hpa: annotation window
  std::optional<api::Schedule> schedule = std::nullopt;     // updraft.dev/schedule
  bool adaptive_keep_alive = false;                         // updraft.dev/keep-alive

  bool operator==(const Policy&) const = default;
};

// `annotations` have been validated when they were accepted; what cannot be read all the same counts as absent.
// Of a key's names (the present one and the older camelCase one) the first that is present wins.
Policy MakePolicy(const Defaults& defaults, const std::map<std::string, std::string>& annotations,
                  int container_concurrency);

}  // namespace updraft::autoscaler
