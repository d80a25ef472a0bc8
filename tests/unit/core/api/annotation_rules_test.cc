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
  std::string want = c.want;
  const std::string path = "spec.template.metadata.annotations." + c.key;
  for (size_t at = want.find('@'); at != std::string::npos; at = want.find('@'))
    want.replace(at, 1, path);
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

}  // namespace
}  // namespace updraft::api
