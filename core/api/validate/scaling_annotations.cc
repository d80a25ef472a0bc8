#include <optional>

#include "core/api/access.h"
#include "core/api/constants.h"
#include "core/api/duration.h"
#include "core/api/go_number.h"
#include "core/api/meta.h"
#include "core/api/schedule.h"
#include "core/api/validation.h"

namespace updraft::api {
namespace {

using std::chrono::hours;

constexpr std::string_view kPrefix = "autoscaling.knative.dev/";

// An annotation, looked up by its name and the old camelCase alias.
std::optional<AnnotationValue> Get(const Json& annotations, const char* name,
                                   const char* alias = nullptr) {
  const std::string key = std::string(kPrefix) + name;
  const std::string old = alias == nullptr ? key : std::string(kPrefix) + alias;
  return FirstAnnotation(annotations, {key, old});
}

std::string KeyOf(const char* name) { return std::string(kPrefix) + name; }

std::optional<double> ParseDouble(std::string_view text) {
  double value = 0;
  if (ParseGoFloat(text, value) != GoNumber::kRead) return std::nullopt;
  return value;
}

// A count of at least 0; errors go to `errors` and read as 0.
int64_t CountOf(const std::optional<AnnotationValue>& annotation, FieldErrors& errors) {
  if (!annotation) return 0;
  int64_t value = 0;
  const GoNumber number = ParseGoInt(annotation->value, 32, value);
  if (number == GoNumber::kBadSyntax) {
    errors.Add(InvalidValue(annotation->value, annotation->key));
    return 0;
  }
  if (number == GoNumber::kOutOfRange || value < 0) {
    errors.Add(OutOfBounds(annotation->value, "0", "2147483647", annotation->key));
    return 0;
  }
  return value;
}

FieldErrors CheckClass(const Json& annotations) {
  const auto found = Get(annotations, "class");
  if (!found || !found->value.ends_with(".knative.dev")) return {};
  if (found->value == kKpaClass || found->value == kHpaClass) return {};
  return InvalidValue(found->value, found->key);
}

FieldErrors CheckActivationScale(const Json& annotations, int64_t min, int64_t max) {
  const auto found = Get(annotations, "activation-scale");
  if (!found) return {};
  int64_t scale = 0;
  if (ParseGoInt(found->value, 32, scale) != GoNumber::kRead)
    return InvalidValue(found->value, found->key);
  const std::string text = "activation-scale=" + std::to_string(scale);
  if (min > scale)
    return Generic("min-scale=" + std::to_string(min) + " is greater than " + text, {found->key});
  if (max < scale && max != 0)
    return Generic("max-scale=" + std::to_string(max) + " is less than " + text, {found->key});
  if (scale < 2) return Generic(text + " must be greater than 1", {found->key});
  return {};
}

FieldErrors CheckScaleAnnotations(const Json& annotations, const AutoscalerConfig& config) {
  FieldErrors errors;
  const auto max_annotation = Get(annotations, "max-scale", "maxScale");
  const int64_t min = CountOf(Get(annotations, "min-scale", "minScale"), errors);
  const int64_t max = CountOf(max_annotation, errors);
  if (max != 0 && max < min) {
    errors.Add(Generic(
        "max-scale=" + std::to_string(max) + " is less than min-scale=" + std::to_string(min),
        {KeyOf("max-scale"), KeyOf("min-scale")}));
  }
  const int64_t limit = config.max_scale_limit;
  if (max_annotation && limit != 0) {
    if (max > limit)
      errors.Add(OutOfBounds(std::to_string(max), "1", std::to_string(limit), max_annotation->key));
    if (max == 0) {
      errors.Add(Generic("max-scale=0 (unlimited), must be less than " + std::to_string(limit),
                         {max_annotation->key}));
    }
  }
  errors.Add(CheckActivationScale(annotations, min, max));
  return errors;
}

void CheckPercent(const std::optional<AnnotationValue>& found, double least, double most,
                  FieldErrors& errors) {
  if (!found) return;
  const std::optional<double> value = ParseDouble(found->value);
  if (!value) {
    errors.Add(InvalidValue(found->value, found->key));
  } else if (*value < least || *value > most) {
    errors.Add(OutOfBounds(found->value, FormatFloat(least), FormatFloat(most), found->key));
  }
}

FieldErrors CheckFloats(const Json& annotations) {
  FieldErrors errors;
  CheckPercent(Get(annotations, "panic-window-percentage", "panicWindowPercentage"), 1, 100,
               errors);
  CheckPercent(Get(annotations, "panic-threshold-percentage", "panicThresholdPercentage"), 110,
               1000, errors);
  CheckPercent(Get(annotations, "target-utilization-percentage", "targetUtilizationPercentage"), 1,
               100, errors);
  if (const auto found = Get(annotations, "target")) {
    const std::optional<double> value = ParseDouble(found->value);
    if (!value) {
      errors.Add(InvalidValue(found->value, found->key));
    } else if (*value < 0.01) {
      errors.Add(Generic("target " + found->value + " should be at least 0.01", {found->key}));
    }
  }
  if (const auto found = Get(annotations, "target-burst-capacity", "targetBurstCapacity")) {
    const std::optional<double> value = ParseDouble(found->value);
    if (!value || (*value < 0 && *value != -1)) errors.Add(InvalidValue(found->value, found->key));
  }
  return errors;
}

FieldErrors CheckDuration(const std::optional<AnnotationValue>& found, Nanos least,
                          bool whole_seconds) {
  if (!found) return {};
  const std::optional<Nanos> value = ParseGoDuration(found->value);
  if (!value) return InvalidValue(found->value, found->key);
  if (*value < least || *value > kStableWindowMax) {
    return OutOfBounds(found->value, FormatGoDuration(least), FormatGoDuration(kStableWindowMax),
                       found->key);
  }
  if (whole_seconds && *value % Seconds(1) != Nanos(0)) {
    return Generic("must be specified with at most second precision", {found->key});
  }
  return {};
}

FieldErrors CheckMetric(const Json& annotations, const AutoscalerConfig& config) {
  const auto metric = Get(annotations, "metric");
  if (!metric) return {};
  const auto class_annotation = Get(annotations, "class");
  const std::string autoscaler =
      class_annotation ? class_annotation->value : config.autoscaler_class;
  const bool good = autoscaler == kKpaClass
                        ? metric->value == "concurrency" || metric->value == "rps"
                    : autoscaler == kHpaClass ? !metric->value.empty()
                                              : true;  // of another autoscaler: its own affair
  return good ? FieldErrors() : InvalidValue(metric->value, metric->key);
}

FieldErrors CheckAlgorithm(const Json& annotations) {
  const auto class_annotation = Get(annotations, "class");
  const auto found = Get(annotations, "metric-aggregation-algorithm", "metricAggregationAlgorithm");
  if (!class_annotation || class_annotation->value != kKpaClass || !found || found->value.empty())
    return {};
  const std::string& v = found->value;
  if (v == "linear" || v == "weighted-exponential" || v == "weightedExponential") return {};
  return InvalidValue(v, found->key);
}

FieldErrors CheckInitialScale(const Json& annotations, const AutoscalerConfig& config) {
  const auto found = Get(annotations, "initial-scale", "initialScale");
  if (!found) return {};
  int64_t scale = 0;
  if (ParseGoInt(found->value, 64, scale) != GoNumber::kRead)
    return InvalidValue(found->value, found->key);
  if (scale < 0) return InvalidValue(found->value, found->key + " must be greater than 0");
  if (scale == 0 && !config.allow_zero_initial_scale)
    return InvalidValue(found->value, found->key + "=0 not allowed by cluster");
  return {};
}

// Updraft's own: none of them has a meaning to Knative.
FieldErrors CheckOwn(const Json& annotations) {
  FieldErrors errors;
  const std::string schedule_key(kScheduleAnnotation);
  if (const auto found = FirstAnnotation(annotations, {schedule_key})) {
    const Result<Schedule> schedule = Schedule::Parse(found->value);
    if (!schedule) errors.Add(InvalidValue(found->value, found->key, schedule.error().message));
  }
  const std::string keep_alive_key(kKeepAliveAnnotation);
  if (const auto found = FirstAnnotation(annotations, {keep_alive_key})) {
    if (found->value != kKeepAliveAdaptive)
      errors.Add(InvalidValue(found->value, found->key, "\"adaptive\" is wanted"));
  }
  const std::string silent_key(kSilentStreamTimeoutAnnotation);
  if (const auto found = FirstAnnotation(annotations, {silent_key})) {
    const std::optional<Nanos> value = ParseGoDuration(found->value);
    if (!value || *value < Seconds(1) || *value > kStableWindowMax)
      errors.Add(InvalidValue(found->value, found->key, "a duration of 1s to 1h is wanted"));
  }
  return errors;
}

}  // namespace

FieldErrors ValidateScalingAnnotations(const Json& annotations, const AutoscalerConfig& config) {
  FieldErrors errors = CheckClass(annotations);
  errors.Add(CheckScaleAnnotations(annotations, config));
  errors.Add(CheckFloats(annotations));
  errors.Add(CheckDuration(Get(annotations, "window"), kStableWindowMin, true));
  errors.Add(CheckDuration(
      Get(annotations, "scale-to-zero-pod-retention-period", "scaleToZeroPodRetentionPeriod"),
      Nanos(0), false));
  errors.Add(CheckDuration(Get(annotations, "scale-down-delay", "scaleDownDelay"), Nanos(0), true));
  errors.Add(CheckMetric(annotations, config));
  errors.Add(CheckAlgorithm(annotations));
  errors.Add(CheckInitialScale(annotations, config));
  errors.Add(CheckOwn(annotations));
  return errors;
}

}  // namespace updraft::api
