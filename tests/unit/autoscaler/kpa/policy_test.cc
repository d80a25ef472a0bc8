#include "autoscaler/kpa/policy.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

using Texts = std::map<std::string, std::string>;

std::string Key(const std::string& name) { return "autoscaling.knative.dev/" + name; }

TEST(MakePolicyTest, KnativesDefaults) {
  const Policy policy = MakePolicy({}, {}, 0);
  EXPECT_DOUBLE_EQ(policy.total, 100);
  EXPECT_DOUBLE_EQ(policy.target, 70);
  EXPECT_EQ(policy.stable_window, Seconds(60));
  EXPECT_EQ(policy.panic_window, Seconds(6));
  EXPECT_DOUBLE_EQ(policy.panic_threshold, 2);
  EXPECT_DOUBLE_EQ(policy.target_burst_capacity, 211);
  EXPECT_EQ(policy.initial_scale, 1);
  EXPECT_EQ(policy.max_scale, 0);
}

struct TargetCase {
  std::string name;
  Texts annotations;
  int container_concurrency;
  double total;
  double target;
};

class TargetTest : public testing::TestWithParam<TargetCase> {};

TEST_P(TargetTest, TotalAndTarget) {
  const TargetCase& c = GetParam();
  const Policy policy = MakePolicy({}, c.annotations, c.container_concurrency);
  EXPECT_NEAR(policy.total, c.total, 1e-12);
  EXPECT_NEAR(policy.target, c.target, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TargetTest,
    testing::ValuesIn(std::vector<TargetCase>{
        {"Limit10", {}, 10, 10, 7},
        {"TargetBelowTheLimit", {{Key("target"), "4"}}, 10, 4, 2.8},
        {"TargetAboveTheLimitIsCapped", {{Key("target"), "40"}}, 10, 10, 7},
        {"TargetWithoutALimit", {{Key("target"), "40"}}, 0, 40, 28},
        {"Utilisation", {{Key("target-utilization-percentage"), "100"}}, 10, 10, 10},
        {"OldNameOfUtilisation", {{Key("targetUtilizationPercentage"), "50"}}, 10, 10, 5},
        {"TheNewNameWins",
         {{Key("target-utilization-percentage"), "90"}, {Key("targetUtilizationPercentage"), "50"}}, 10, 10, 9},
        {"RequestsPerSecond", {{Key("metric"), "rps"}}, 10, 200, 140},
        {"RequestsPerSecondTargetIsNotCapped", {{Key("metric"), "rps"}, {Key("target"), "50"}}, 10, 50, 35},
        {"NeverBelowOneHundredth", {{Key("target"), "0.01"}}, 0, 0.01, 0.01},
    }),
    [](const auto& test) { return test.param.name; });

TEST(MakePolicyTest, WindowsAndDelays) {
  const Policy policy = MakePolicy({}, {{Key("window"), "90s"}, {Key("panic-window-percentage"), "5"},
                                        {Key("scale-down-delay"), "1m"},
                                        {Key("scale-to-zero-pod-retention-period"), "1m30s"}}, 0);
  EXPECT_EQ(policy.stable_window, Seconds(90));
  EXPECT_EQ(policy.panic_window, Seconds(5));  // 4.5 s rounded to the second
  EXPECT_EQ(policy.scale_down_delay, Seconds(60));
  EXPECT_EQ(policy.retention, Seconds(90));
}

TEST(MakePolicyTest, ThePanicWindowIsAtLeastASecond) {
  EXPECT_EQ(MakePolicy({}, {{Key("window"), "6s"}, {Key("panic-window-percentage"), "1"}}, 0).panic_window, Seconds(1));
}

TEST(MakePolicyTest, ZeroInitialScaleNeedsPermission) {
  const Texts annotations = {{Key("initial-scale"), "0"}};
  EXPECT_EQ(MakePolicy({}, annotations, 0).initial_scale, 1);
  EXPECT_EQ(MakePolicy({.allow_zero_initial_scale = true}, annotations, 0).initial_scale, 0);
}

TEST(MakePolicyTest, AForbiddenZeroInitialScaleIsTheClusters) {
  EXPECT_EQ(MakePolicy({.initial_scale = 4}, {{Key("initial-scale"), "0"}}, 0).initial_scale, 4);
}

// round_to_second(window * percentage / 100), halves away from zero, at least 1 s.
struct PanicWindowCase {
  const char* window;
  const char* percentage;
  Nanos want;
};

TEST(MakePolicyTest, PanicWindows) {
  for (const PanicWindowCase& c : std::vector<PanicWindowCase>{{"60s", "10", Seconds(6)},
                                                               {"6s", "10", Seconds(1)},      // 0.6
                                                               {"10s", "15", Seconds(2)},     // 1.5
                                                               {"10s", "14.9", Seconds(1)},   // 1.49
                                                               {"10s", "35", Seconds(4)},     // 3.5
                                                               {"1h", "1", Seconds(36)},
                                                               {"7s", "100", Seconds(7)},
                                                               {"6s", "1", Seconds(1)}}) {
    const Texts annotations = {{Key("window"), c.window}, {Key("panic-window-percentage"), c.percentage}};
    EXPECT_EQ(MakePolicy({}, annotations, 0).panic_window, c.want) << c.window << " " << c.percentage;
  }
}

TEST(MakePolicyTest, EveryAnnotationIsRead) {
  const Policy policy = MakePolicy({}, {{Key("metric"), "rps"}, {Key("target"), "+150"}, {Key("min-scale"), "2"},
                                        {Key("max-scale"), "9"}, {Key("initial-scale"), "3"},
                                        {Key("activation-scale"), "4"}, {Key("scale-down-delay"), "15m"},
                                        {Key("scale-to-zero-pod-retention-period"), "42s"},
                                        {Key("panic-threshold-percentage"), "150"},
                                        {Key("target-burst-capacity"), "-1"},
                                        {Key("metric-aggregation-algorithm"), "weighted-exponential"}}, 0);
  EXPECT_EQ(policy.metric, Metric::kRequestsPerSecond);
  EXPECT_DOUBLE_EQ(policy.total, 150);
  EXPECT_DOUBLE_EQ(policy.target, 105);
  EXPECT_EQ(policy.min_scale, 2);
  EXPECT_EQ(policy.max_scale, 9);
  EXPECT_EQ(policy.initial_scale, 3);
  EXPECT_EQ(policy.activation_scale, 4);
  EXPECT_EQ(policy.scale_down_delay, Seconds(900));
  EXPECT_EQ(policy.retention, Seconds(42));
  EXPECT_DOUBLE_EQ(policy.panic_threshold, 1.5);
  EXPECT_EQ(policy.target_burst_capacity, -1);
  EXPECT_EQ(policy.averaging, Averaging::kWeightedExponential);
}

TEST(MakePolicyTest, OldNamesAreReadToo) {
  const Policy policy = MakePolicy({}, {{Key("minScale"), "2"}, {Key("maxScale"), "9"}, {Key("initialScale"), "3"},
                                        {Key("scaleDownDelay"), "15s"}, {Key("scaleToZeroPodRetentionPeriod"), "42s"},
                                        {Key("panicThresholdPercentage"), "150"}, {Key("panicWindowPercentage"), "20"},
                                        {Key("targetBurstCapacity"), "7"},
                                        {Key("metricAggregationAlgorithm"), "weightedExponential"}}, 0);
  EXPECT_EQ(policy.min_scale, 2);
  EXPECT_EQ(policy.max_scale, 9);
  EXPECT_EQ(policy.initial_scale, 3);
  EXPECT_EQ(policy.scale_down_delay, Seconds(15));
  EXPECT_EQ(policy.retention, Seconds(42));
  EXPECT_DOUBLE_EQ(policy.panic_threshold, 1.5);
  EXPECT_EQ(policy.panic_window, Seconds(12));
  EXPECT_EQ(policy.target_burst_capacity, 7);
  EXPECT_EQ(policy.averaging, Averaging::kWeightedExponential);
}

TEST(MakePolicyTest, TheClustersDefaultsHoldWithoutAnnotations) {
  const Defaults defaults{.container_concurrency_target_fraction = 0.5,
                          .container_concurrency_target = 20,
                          .requests_per_second_target = 50,
                          .target_burst_capacity = 0,
                          .stable_window = Seconds(30),
                          .panic_window_percentage = 20,
                          .panic_threshold_percentage = 300,
                          .max_scale_up_rate = 5,
                          .max_scale_down_rate = 3,
                          .enable_scale_to_zero = false,
                          .scale_to_zero_grace_period = Seconds(7),
                          .scale_to_zero_pod_retention_period = Seconds(8),
                          .scale_down_delay = Seconds(9),
                          .initial_scale = 2,
                          .min_scale = 1,
                          .max_scale = 6};
  const Policy policy = MakePolicy(defaults, {}, 0);
  EXPECT_DOUBLE_EQ(policy.target, 10);  // 20 * 0.5
  EXPECT_DOUBLE_EQ(MakePolicy(defaults, {{Key("metric"), "rps"}}, 0).target, 35);  // 50 * 0.7, a constant
  EXPECT_EQ(policy.target_burst_capacity, 0);
  EXPECT_EQ(policy.stable_window, Seconds(30));
  EXPECT_EQ(policy.panic_window, Seconds(6));
  EXPECT_DOUBLE_EQ(policy.panic_threshold, 3);
  EXPECT_DOUBLE_EQ(policy.max_scale_up_rate, 5);
  EXPECT_DOUBLE_EQ(policy.max_scale_down_rate, 3);
  EXPECT_FALSE(policy.scale_to_zero);
  EXPECT_EQ(policy.grace, Seconds(7));
  EXPECT_EQ(policy.retention, Seconds(8));
  EXPECT_EQ(policy.scale_down_delay, Seconds(9));
  EXPECT_EQ(policy.initial_scale, 2);
  EXPECT_EQ(policy.min_scale, 1);
  EXPECT_EQ(policy.max_scale, 6);
}

TEST(MakePolicyTest, ClassHpa) {
  const Texts hpa = {{Key("class"), "hpa.autoscaling.knative.dev"}};
  const auto with = [&hpa](Texts more) {
    more.insert(hpa.begin(), hpa.end());
    return MakePolicy({}, more, 10);
  };
  EXPECT_EQ(with({}).scaler_class, ScalerClass::kHpa);
  EXPECT_EQ(with({}).metric, Metric::kCpu);
  EXPECT_DOUBLE_EQ(with({}).target, 80);  // Kubernetes' own, where none is said
  EXPECT_DOUBLE_EQ(with({{Key("metric"), "cpu"}, {Key("target"), "74.2"}}).target, 75);
  EXPECT_EQ(with({{Key("metric"), "memory"}, {Key("target"), "64"}}).metric, Metric::kMemory);
  EXPECT_EQ(with({{Key("metric"), "queue-length"}, {Key("target"), "5"}}).metric, Metric::kNone);
  EXPECT_EQ(with({{Key("window"), "90s"}}).stabilization, Seconds(90));
  EXPECT_EQ(MakePolicy({.autoscaler_class = "hpa.autoscaling.knative.dev"}, {}, 0).scaler_class, ScalerClass::kHpa);
}

TEST(MakePolicyTest, OwnAnnotations) {
  const Policy policy = MakePolicy({}, {{"updraft.dev/schedule", "2 from 0 8 * * * for 1h"},
                                        {"updraft.dev/keep-alive", "adaptive"}}, 0);
  EXPECT_TRUE(policy.schedule.has_value());
  EXPECT_TRUE(policy.adaptive_keep_alive);
  EXPECT_FALSE(MakePolicy({}, {{"updraft.dev/schedule", "often"}}, 0).schedule.has_value());
}

TEST(ParseDefaultsTest, KeysAreReadAndFaultsNamed) {
  Texts errors;
  const Defaults defaults = ParseDefaults({{"stable-window", "90s"},
                                           {"container-concurrency-target-percentage", "0.8"},
                                           {"enable-scale-to-zero", "false"},
                                           {"panic-window-percentage", "0"},
                                           {"max-scale-upp-rate", "3"},
                                           {"initial-scale", "-1"}},
                                          errors);
  EXPECT_EQ(defaults.stable_window, Seconds(90));
  EXPECT_DOUBLE_EQ(defaults.container_concurrency_target_fraction, 0.8);
  EXPECT_FALSE(defaults.enable_scale_to_zero);
  EXPECT_DOUBLE_EQ(defaults.panic_window_percentage, 10);  // the default, since 0 cannot be used
  EXPECT_EQ(defaults.initial_scale, 1);
  EXPECT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors["max-scale-upp-rate"], "unknown key");
  EXPECT_EQ(errors["panic-window-percentage"], "panic-window-percentage = 0, must be in [1, 100] interval");
}

TEST(ParseDefaultsTest, APercentageAboveOneIsAPercentage) {
  Texts errors;
  EXPECT_DOUBLE_EQ(ParseDefaults({{"container-concurrency-target-percentage", "60"}}, errors)
                       .container_concurrency_target_fraction, 0.6);
}

}  // namespace
}  // namespace updraft::autoscaler
