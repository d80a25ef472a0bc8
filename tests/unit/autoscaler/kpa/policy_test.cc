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

TEST(ParseDefaultsTest, KeysAreReadAndFaultsNamed) {
  Texts errors;
  const Defaults defaults = ParseDefaults({{"stable-window", "90s"},
                                           {"container-concurrency-target-percentage", "0.8"},
                                           {"enable-scale-to-zero", "false"},
                                           {"panic-threshold-percentage", "50"},
                                           {"max-scale-upp-rate", "3"},
                                           {"initial-scale", "-1"}},
                                          errors);
  EXPECT_EQ(defaults.stable_window, Seconds(90));
  EXPECT_DOUBLE_EQ(defaults.container_concurrency_target_fraction, 0.8);
  EXPECT_FALSE(defaults.enable_scale_to_zero);
  EXPECT_DOUBLE_EQ(defaults.panic_threshold_percentage, 200);  // the default, since 50 cannot be used
  EXPECT_EQ(defaults.initial_scale, 1);
  EXPECT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors["max-scale-upp-rate"], "unknown key");
  EXPECT_EQ(errors["panic-threshold-percentage"], "\"50\": 110 to 1000");
}

TEST(ParseDefaultsTest, APercentageAboveOneIsAPercentage) {
  Texts errors;
  EXPECT_DOUBLE_EQ(ParseDefaults({{"container-concurrency-target-percentage", "60"}}, errors)
                       .container_concurrency_target_fraction, 0.6);
}

}  // namespace
}  // namespace updraft::autoscaler
