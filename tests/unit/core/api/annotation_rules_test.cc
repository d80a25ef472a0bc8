// Knative's rules for the annotations of a template, with their exact texts (reference 1.6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

struct AnnotationCase {
  std::string key;
  std::string value;
  std::string want;  // "@" stands for the annotation's path
};

class AnnotationTest : public testing::TestWithParam<AnnotationCase> {};

TEST_P(AnnotationTest, Verdict) {
  const AnnotationCase& c = GetParam();
  const std::string want = WithPathOf("spec.template.metadata.annotations." + c.key, c.want);
  EXPECT_EQ(Verdict(WithTemplateAnnotation(c.key, c.value)), want) << c.key << "=" << c.value;
}

constexpr const char* kA = "autoscaling.knative.dev/";

std::vector<AnnotationCase> ScalingCases() {
  const auto a = [](const char* key) { return kA + std::string(key); };
  return {
      {a("class"), "kpa.autoscaling.knative.dev", ""},
      {a("class"), "hpa.autoscaling.knative.dev", ""},
      {a("class"), "mine.example.com", ""},
      {a("class"), "x.knative.dev", "invalid value: x.knative.dev: @"},
      {a("metric"), "concurrency", ""},
      {a("metric"), "rps", ""},
      {a("metric"), "cpu", "invalid value: cpu: @"},
      {a("target"), "0.01", ""},
      {a("target"), "0.009", "target 0.009 should be at least 0.01: @"},
      {a("target"), "x", "invalid value: x: @"},
      {a("target-utilization-percentage"), "70", ""},
      {a("target-utilization-percentage"), "0.5", "expected 1 <= 0.5 <= 100: @"},
      {a("targetUtilizationPercentage"), "101", "expected 1 <= 101 <= 100: @"},
      {a("min-scale"), "3", ""},
      {a("min-scale"), "-1", "expected 0 <= -1 <= 2147483647: @"},
      {a("min-scale"), "3000000000", "expected 0 <= 3000000000 <= 2147483647: @"},
      {a("min-scale"), "1.5", "invalid value: 1.5: @"},
      {a("minScale"), "x", "invalid value: x: @"},
      {a("max-scale"), "0", ""},
      {a("maxScale"), "-2", "expected 0 <= -2 <= 2147483647: @"},
      {a("initial-scale"), "1", ""},
      {a("initial-scale"), "0", "invalid value: 0: @=0 not allowed by cluster"},
      {a("initial-scale"), "-1", "invalid value: -1: @ must be greater than 0"},
      {a("initialScale"), "x", "invalid value: x: @"},
      {a("activation-scale"), "2", ""},
      {a("activation-scale"), "1", "activation-scale=1 must be greater than 1: @"},
      {a("activation-scale"), "x", "invalid value: x: @"},
      {a("scale-down-delay"), "15m", ""},
      {a("scale-down-delay"), "2h", "expected 0s <= 2h <= 1h0m0s: @"},
      {a("scale-down-delay"), "1.5s", "must be specified with at most second precision: @"},
      {a("scaleDownDelay"), "x", "invalid value: x: @"},
      {a("scale-to-zero-pod-retention-period"), "1.5s", ""},
      {a("scale-to-zero-pod-retention-period"), "-1s", "expected 0s <= -1s <= 1h0m0s: @"},
      {a("scaleToZeroPodRetentionPeriod"), "x", "invalid value: x: @"},
      {a("window"), "6s", ""},
      {a("window"), "5s", "expected 6s <= 5s <= 1h0m0s: @"},
      {a("window"), "61m", "expected 6s <= 61m <= 1h0m0s: @"},
      {a("window"), "6500ms", "must be specified with at most second precision: @"},
      {a("window"), "x", "invalid value: x: @"},
      {a("panic-window-percentage"), "10", ""},
      {a("panic-window-percentage"), "0.5", "expected 1 <= 0.5 <= 100: @"},
      {a("panicWindowPercentage"), "x", "invalid value: x: @"},
      {a("panic-threshold-percentage"), "110", ""},
      {a("panic-threshold-percentage"), "109", "expected 110 <= 109 <= 1000: @"},
      {a("panicThresholdPercentage"), "x", "invalid value: x: @"},
      {a("target-burst-capacity"), "-1", ""},
      {a("target-burst-capacity"), "-2", "invalid value: -2: @"},
      {a("targetBurstCapacity"), "x", "invalid value: x: @"},
      {a("metric-aggregation-algorithm"), "anything", ""},
      {a("class"), "kpa", ""},
      {a("class"), "knative.dev", ""},
      {a("metric"), "", "invalid value: : @"},
      {a("metric"), "memory", "invalid value: memory: @"},
      {a("target"), "", "invalid value: : @"},
      {a("target"), "100.5", ""},
      {a("target"), "1e3", ""},
      {a("target"), "1_000", ""},
      {a("target"), "NaN", ""},
      {a("target"), "-1", "target -1 should be at least 0.01: @"},
      {a("target-utilization-percentage"), "1", ""},
      {a("target-utilization-percentage"), "100", ""},
      {a("target-utilization-percentage"), "x", "invalid value: x: @"},
      {a("targetUtilizationPercentage"), "0", "expected 1 <= 0 <= 100: @"},
      {a("min-scale"), "0", ""},
      {a("min-scale"), "+5", ""},
      {a("min-scale"), "+-5", "invalid value: +-5: @"},
      {a("min-scale"), "2147483647", ""},
      {a("min-scale"), "2147483648", "expected 0 <= 2147483648 <= 2147483647: @"},
      {a("min-scale"), "9999999999h", "expected 0 <= 9999999999h <= 2147483647: @"},
      {a("minScale"), "-1", "expected 0 <= -1 <= 2147483647: @"},
      {a("max-scale"), "2147483647", ""},
      {a("max-scale"), "2147483648", "expected 0 <= 2147483648 <= 2147483647: @"},
      {a("max-scale"), "1e2", "invalid value: 1e2: @"},
      {a("maxScale"), "x", "invalid value: x: @"},
      {a("initial-scale"), "3000000000", ""},
      {a("initial-scale"), "1.5", "invalid value: 1.5: @"},
      {a("initialScale"), "0", "invalid value: 0: @=0 not allowed by cluster"},
      {a("initialScale"), "-1", "invalid value: -1: @ must be greater than 0"},
      {a("activation-scale"), "0", "activation-scale=0 must be greater than 1: @"},
      {a("activation-scale"), "-1", "min-scale=0 is greater than activation-scale=-1: @"},
      {a("activation-scale"), "2147483648", "invalid value: 2147483648: @"},
      {a("scale-down-delay"), "0s", ""},
      {a("scale-down-delay"), "1h", ""},
      {a("scale-down-delay"), "1h0m1s", "expected 0s <= 1h0m1s <= 1h0m0s: @"},
      {a("scale-down-delay"), "-1s", "expected 0s <= -1s <= 1h0m0s: @"},
      {a("scaleDownDelay"), "1500ms", "must be specified with at most second precision: @"},
      {a("scale-to-zero-pod-retention-period"), "0s", ""},
      {a("scale-to-zero-pod-retention-period"), "1h", ""},
      {a("scale-to-zero-pod-retention-period"), "61m", "expected 0s <= 61m <= 1h0m0s: @"},
      {a("scaleToZeroPodRetentionPeriod"), "-5s", "expected 0s <= -5s <= 1h0m0s: @"},
      {a("window"), "1h", ""},
      {a("window"), "60", "invalid value: 60: @"},
      {a("window"), "5999ms", "expected 6s <= 5999ms <= 1h0m0s: @"},
      {a("window"), "", "invalid value: : @"},
      {a("panic-window-percentage"), "1", ""},
      {a("panic-window-percentage"), "100", ""},
      {a("panic-window-percentage"), "100.1", "expected 1 <= 100.1 <= 100: @"},
      {a("panicWindowPercentage"), "0", "expected 1 <= 0 <= 100: @"},
      {a("panic-threshold-percentage"), "1000", ""},
      {a("panic-threshold-percentage"), "1000.5", "expected 110 <= 1000.5 <= 1000: @"},
      {a("panicThresholdPercentage"), "109.9", "expected 110 <= 109.9 <= 1000: @"},
      {a("target-burst-capacity"), "0", ""},
      {a("target-burst-capacity"), "211.5", ""},
      {a("target-burst-capacity"), "-0.5", "invalid value: -0.5: @"},
      {a("targetBurstCapacity"), "-1", ""},
      {a("metricAggregationAlgorithm"), "x", ""},
      {a("nonsense"), "x", ""},
  };
}

INSTANTIATE_TEST_SUITE_P(Scaling, AnnotationTest, testing::ValuesIn(ScalingCases()));

INSTANTIATE_TEST_SUITE_P(
    Others, AnnotationTest,
    testing::ValuesIn(std::vector<AnnotationCase>{
        {"serving.knative.dev/progress-deadline", "60s", ""},
        {"serving.knative.dev/progress-deadline", "x", "invalid value: x: @"},
        {"serving.knative.dev/progress-deadline", "1.5s",
         "progress-deadline=1.5s is not at second precision: @"},
        {"serving.knative.dev/progress-deadline", "-1s",
         "progress-deadline=-1s must be positive: @"},
        {"networking.knative.dev/ingress-class", "x", ""},
        {"networking.knative.dev/nonsense", "x",
         "invalid key name \"networking.knative.dev/nonsense\": "
         "spec.template.metadata.annotations"},
        {"queue.sidecar.serving.knative.dev/cpu-resource-request", "25m", ""},
        {"queue.sidecar.serving.knative.dev/cpu-resource-request", "x",
         "invalid value: x: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative."
         "dev/cpu-resource-request]"},
        {"queue.sidecar.serving.knative.dev/resource-percentage", "200",
         "expected 0.1 <= 200 <= 100: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative."
         "dev/resource-percentage]"},
        {"queue.sidecar.serving.knative.dev/memory-resource-limit", "1Gi", ""},
        {"queue.sidecar.serving.knative.dev/memory-resource-limit", "much",
         "invalid value: much: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative."
         "dev/memory-resource-limit]"},
        {"queue.sidecar.serving.knative.dev/ephemeral-storage-resource-request", "1Gi", ""},
        {"queue.sidecar.serving.knative.dev/resourcePercentage", "50", ""},
        {"features.knative.dev/queueproxy-podinfo", "enabled", ""},
        {"networking.knative.dev/disable-external-domain-tls", "true", ""},
        {"networking.knative.dev/http-protocol", "redirected", ""},
        {"networking.knative.dev/certificate-class", "x", ""},
        {"serving.knative.dev/no-gc", "true", ""},
        {"features.knative.dev/http-full-duplex", "Enabled", ""},
        {"queue.sidecar.serving.knative.dev/cpu-resource-request", "1.5", ""},
        {"queue.sidecar.serving.knative.dev/cpu-resource-request", "1gi",
         "invalid value: 1gi: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/cpu-resource-request]"},
        {"queue.sidecar.serving.knative.dev/cpu-resource-limit", "1.5", ""},
        {"queue.sidecar.serving.knative.dev/cpu-resource-limit", "1gi",
         "invalid value: 1gi: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/cpu-resource-limit]"},
        {"queue.sidecar.serving.knative.dev/memory-resource-request", "1.5", ""},
        {"queue.sidecar.serving.knative.dev/memory-resource-request", "1gi",
         "invalid value: 1gi: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/memory-resource-request]"},
        {"queue.sidecar.serving.knative.dev/memory-resource-limit", "1.5", ""},
        {"queue.sidecar.serving.knative.dev/memory-resource-limit", "1gi",
         "invalid value: 1gi: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/memory-resource-limit]"},
        {"queue.sidecar.serving.knative.dev/ephemeral-storage-resource-request", "1.5", ""},
        {"queue.sidecar.serving.knative.dev/ephemeral-storage-resource-request", "1gi",
         "invalid value: 1gi: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/ephemeral-storage-resource-requ"
         "est]"},
        {"queue.sidecar.serving.knative.dev/ephemeral-storage-resource-limit", "1.5", ""},
        {"queue.sidecar.serving.knative.dev/ephemeral-storage-resource-limit", "1gi",
         "invalid value: 1gi: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/ephemeral-storage-resource-limi"
         "t]"},
        {"queue.sidecar.serving.knative.dev/resource-percentage", "0.1", ""},
        {"queue.sidecar.serving.knative.dev/resource-percentage", "100", ""},
        {"queue.sidecar.serving.knative.dev/resource-percentage", "0.09",
         "expected 0.1 <= 0.09 <= 100: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/resource-percentage]"},
        {"queue.sidecar.serving.knative.dev/resource-percentage", "x",
         "invalid value: x: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/resource-percentage]"},
        {"queue.sidecar.serving.knative.dev/resource-percentage", "",
         "invalid value: : "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/resource-percentage]"},
        {"queue.sidecar.serving.knative.dev/resourcePercentage", "101",
         "expected 0.1 <= 101 <= 100: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative.dev/resourcePercentage]"},
        {"serving.knative.dev/progress-deadline", "0s", ""},
        {"serving.knative.dev/progress-deadline", "", ""},
        {"serving.knative.dev/progress-deadline", "1h30m", ""},
        {"serving.knative.dev/progress-deadline", "60", "invalid value: 60: @"},
        {"serving.knative.dev/rollout-duration", "x", ""},
        {"serving.knative.dev/no-gc", "anything", ""},
        {"networking.knative.dev/ingress.class", "x", ""},
        {"networking.knative.dev/certificate.class", "x", ""},
        {"networking.knative.dev/httpOption", "anything", ""},
        {"networking.knative.dev/disableAutoTLS", "x", ""},
        {"networking.knative.dev/disable-auto-tls", "x", ""},
        {"networking.knative.dev/visibility", "cluster-local",
         "invalid key name \"networking.knative.dev/visibility\": spec.template.metadata.annotations"},
        {"features.knative.dev/http-full-duplex", "Disabled", ""},
        {"features.knative.dev/nonsense", "x", ""},
        {"anything.example.com/x", "y", ""}}));

TEST(AnnotationsTest, ThatGoTogether) {
  Json service = Service();
  Json& annotations = service["spec"]["template"]["metadata"]["annotations"];
  annotations =
      Json{{"autoscaling.knative.dev/min-scale", "5"}, {"autoscaling.knative.dev/max-scale", "3"}};
  EXPECT_EQ(Verdict(service),
            "max-scale=3 is less than min-scale=5: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/max-scale, "
            "spec.template.metadata.annotations.autoscaling.knative.dev/min-scale");
  annotations = Json{{"autoscaling.knative.dev/min-scale", "5"},
                     {"autoscaling.knative.dev/activation-scale", "3"}};
  EXPECT_EQ(Verdict(service),
            "min-scale=5 is greater than activation-scale=3: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/activation-scale");
  annotations = Json{{"autoscaling.knative.dev/max-scale", "2"},
                     {"autoscaling.knative.dev/activation-scale", "3"}};
  EXPECT_EQ(Verdict(service),
            "max-scale=2 is less than activation-scale=3: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/activation-scale");
  annotations = Json{{"autoscaling.knative.dev/class", "hpa.autoscaling.knative.dev"},
                     {"autoscaling.knative.dev/metric", "cpu"}};
  EXPECT_EQ(Verdict(service), "");
  annotations = Json{{"autoscaling.knative.dev/class", "kpa.autoscaling.knative.dev"},
                     {"autoscaling.knative.dev/metric-aggregation-algorithm", "median"}};
  EXPECT_EQ(
      Verdict(service),
      "invalid value: median: "
      "spec.template.metadata.annotations.autoscaling.knative.dev/metric-aggregation-algorithm");
  annotations = Json{{"updraft.dev/schedule", "3 from 0 25 * * * for 1h"}};
  EXPECT_THAT(Verdict(service),
              testing::HasSubstr("invalid value: 3 from 0 25 * * * for 1h: "
                        "spec.template.metadata.annotations.updraft.dev/schedule"));
  EXPECT_THAT(Verdict(service), testing::HasSubstr("hour \"25\""));
  annotations = Json{{"updraft.dev/schedule", "zone Europe/Berlin; 3 from 0 8 * * 1-5 for 10h"}};
  EXPECT_EQ(Verdict(service), "");
  annotations = Json{{"updraft.dev/keep-alive", "always"}};
  EXPECT_EQ(Verdict(service),
            "invalid value: always: spec.template.metadata.annotations.updraft.dev/keep-alive\n"
            "\"adaptive\" is wanted");
  annotations = Json{{"updraft.dev/silent-stream-timeout", "2h"}};
  EXPECT_EQ(
      Verdict(service),
      "invalid value: 2h: spec.template.metadata.annotations.updraft.dev/silent-stream-timeout"
      "\na duration of 1s to 1h is wanted");
  ServingConfig limited;
  limited.autoscaler.max_scale_limit = 10;
  annotations = Json{{"autoscaling.knative.dev/max-scale", "11"}};
  EXPECT_EQ(Verdict(service, limited),
            "expected 1 <= 11 <= 10: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/max-scale");
  annotations = Json{{"autoscaling.knative.dev/max-scale", "0"}};
  EXPECT_EQ(Verdict(service, limited),
            "max-scale=0 (unlimited), must be less than 10: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/max-scale");
}

// What goes for one class of autoscaler alone.
TEST(AnnotationsTest, OfAClass) {
  const auto a = [](const char* key) { return kA + std::string(key); };
  const auto expect = [](const std::string& autoscaler, const std::vector<AnnotationCase>& cases) {
    for (const AnnotationCase& c : cases) {
      Json service = WithTemplateAnnotation(c.key, c.value);
      service["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/class"] = autoscaler;
      EXPECT_EQ(Verdict(service), WithPathOf("spec.template.metadata.annotations." + c.key, c.want))
          << autoscaler << " " << c.key << "=" << c.value;
    }
  };
  expect("kpa.autoscaling.knative.dev", {
      {a("metric"), "concurrency", ""},
      {a("metric"), "rps", ""},
      {a("metric"), "cpu", "invalid value: cpu: @"},
      {a("metric"), "", "invalid value: : @"},
      {a("metric-aggregation-algorithm"), "linear", ""},
      {a("metric-aggregation-algorithm"), "weighted-exponential", ""},
      {a("metric-aggregation-algorithm"), "weightedExponential", ""},
      {a("metric-aggregation-algorithm"), "Linear", "invalid value: Linear: @"},
      {a("metricAggregationAlgorithm"), "x", "invalid value: x: @"},
      {a("metric-aggregation-algorithm"), "", ""},
  });
  expect("hpa.autoscaling.knative.dev", {
      {a("metric"), "cpu", ""},
      {a("metric"), "memory", ""},
      {a("metric"), "anything", ""},
      {a("metric"), "", "invalid value: : @"},
      {a("metric-aggregation-algorithm"), "x", ""},
  });
  expect("mine.example.com", {
      {a("metric"), "", ""},
      {a("metric"), "anything", ""},
      {a("metric-aggregation-algorithm"), "x", ""},
  });
  ServingConfig hpa;
  hpa.autoscaler.autoscaler_class = "hpa.autoscaling.knative.dev";
  EXPECT_EQ(Verdict(WithTemplateAnnotation(a("metric"), "cpu"), hpa), "");
}

// Of a key and its old name the first alone counts.
TEST(AnnotationsTest, UnderTwoNames) {
  Json service = WithTemplateAnnotation("autoscaling.knative.dev/min-scale", "5");
  service["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/minScale"] = "x";
  EXPECT_EQ(Verdict(service), "");
}

TEST(AnnotationsTest, ZeroAsTheInitialScale) {
  ServingConfig zero;
  zero.autoscaler.allow_zero_initial_scale = true;
  EXPECT_EQ(Verdict(WithTemplateAnnotation("autoscaling.knative.dev/initial-scale", "0"), zero), "");
  EXPECT_EQ(Verdict(WithTemplateAnnotation("autoscaling.knative.dev/initialScale", "-1"), zero),
            "invalid value: -1: spec.template.metadata.annotations.autoscaling.knative.dev/initialScale must be "
            "greater than 0");
}

TEST(AnnotationsTest, AreDeprecated) {
  const ServingConfig config;
  const Json service = WithTemplateAnnotation("queue.sidecar.serving.knative.dev/resource-percentage", "50");
  const FieldErrors warnings = ValidateServing(KindNamed("ksvc"), service, {.config = &config, .user = "tester"})
                                   .Only(FieldError::Level::kWarning);
  std::vector<std::string> texts;
  for (const FieldError& warning : warnings.Merged()) texts.push_back(FieldErrors(warning).Text());
  EXPECT_THAT(texts, testing::Contains("Queue proxy resource percentage annotation is deprecated. Please use the "
                                       "available annotations to explicitly set resource values per service: "));
}

}  // namespace
}  // namespace updraft::api
