#include "autoscaler/hpa/replicas.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

constexpr int64_t kMiB = 1 << 20;

Policy Cpu(double percent) {
  Policy policy;
  policy.scaler_class = ScalerClass::kHpa;
  policy.metric = Metric::kCpu;
  policy.target = policy.total = percent;
  return policy;
}

Policy Memory(double mebibytes) {
  Policy policy = Cpu(mebibytes);
  policy.metric = Metric::kMemory;
  return policy;
}

struct ReplicaCase {
  std::string name;
  Policy policy;
  UsageFacts facts;
  std::optional<int> want;
};

std::vector<InstanceUsage> Millis(std::vector<int64_t> values) {
  std::vector<InstanceUsage> usage;
  for (const int64_t value : values) usage.push_back({.cpu_millis = value});
  return usage;
}

std::vector<InstanceUsage> Bytes(std::vector<int64_t> values) {
  std::vector<InstanceUsage> usage;
  for (const int64_t value : values) usage.push_back({.memory_bytes = value});
  return usage;
}

class ReplicasTest : public testing::TestWithParam<ReplicaCase> {};

TEST_P(ReplicasTest, Recommends) { EXPECT_EQ(RecommendedInstances(GetParam().policy, GetParam().facts), GetParam().want); }

// Kubernetes: ceil(ready * (average as a whole percentage) / target), nothing within 10 % of the target.
INSTANTIATE_TEST_SUITE_P(
    Table, ReplicasTest,
    testing::ValuesIn(std::vector<ReplicaCase>{
        // 300 + 500 + 700 of 3000: 50 %; 50 / 30 = 1.67, times 3.
        {"Grows", Cpu(30), {.current = 3, .ready = 3, .usage = Millis({300, 500, 700}), .cpu_request_millis = 1000}, 5},
        // 28 % of 50: 0.56 times 5 = 2.8.
        {"Shrinks", Cpu(50), {.current = 5, .ready = 5, .usage = Millis({100, 300, 500, 250, 250}), .cpu_request_millis = 1000}, 3},
        // 1.1 exactly is within the tolerance; 1.11 is not: ceil(2 * 1.11) = 3.
        {"TolerableAbove", Cpu(100), {.current = 2, .ready = 2, .usage = Millis({1100, 1100}), .cpu_request_millis = 1000}, 2},
        {"IntolerableAbove", Cpu(100), {.current = 2, .ready = 2, .usage = Millis({1110, 1110}), .cpu_request_millis = 1000}, 3},
        {"TolerableBelow", Cpu(100), {.current = 2, .ready = 2, .usage = Millis({900, 900}), .cpu_request_millis = 1000}, 2},
        // 89 % of 100, times 10 = 8.9.
        {"IntolerableBelow", Cpu(100), {.current = 10, .ready = 10, .usage = Millis(std::vector<int64_t>(10, 890)), .cpu_request_millis = 1000}, 9},
        // 559 of 1000 is 55 %, cut off: 55 / 50 = 1.1, which is tolerable.
        {"PercentagesAreWhole", Cpu(50), {.current = 1, .ready = 1, .usage = Millis({559}), .cpu_request_millis = 1000}, 1},
        {"WithoutARequestNothingCanBeSaid", Cpu(50), {.current = 3, .ready = 3, .usage = Millis({9, 9, 9})}, std::nullopt},
        {"WithoutAReadingNothingCanBeSaid", Cpu(50), {.current = 3, .ready = 3, .cpu_request_millis = 1000}, std::nullopt},
        // 200 % of 100 by two of four; the others count as 0: 400 / 400 = 100 %, tolerable.
        {"UnreadOnesUseNothingWhenGrowing", Cpu(100), {.current = 4, .ready = 4, .usage = Millis({200, 200}), .cpu_request_millis = 100}, 4},
        // 20 % of 100 by two of four; the others count as 100 %: 60 %, times 4 = 2.4.
        {"UnreadOnesUseAllWhenShrinking", Cpu(100), {.current = 4, .ready = 4, .usage = Millis({20, 20}), .cpu_request_millis = 100}, 3},
        // 300 % of 50 by one, one starting with 0: 150 / 50 = 3, times 2.
        {"StartingOnesUseNothingWhenGrowing", Cpu(50), {.current = 2, .ready = 1, .unready = 1, .usage = Millis({300}), .cpu_request_millis = 100}, 6},
        // 60 % of 50 by one, five starting: 10 / 50 would shrink, the other way than at first.
        {"NeverTheOtherWay", Cpu(50), {.current = 6, .ready = 1, .unready = 5, .usage = Millis({60}), .cpu_request_millis = 100}, 6},
        {"StartingOnesAreNothingWhenShrinking", Cpu(50), {.current = 3, .ready = 2, .unready = 1, .usage = Millis({10, 10}), .cpu_request_millis = 100}, 1},
        // 96 and 64 MiB: 80 of 50, 1.6 times 2 = 3.2.
        {"Memory", Memory(50), {.current = 2, .ready = 2, .usage = Bytes({96 * kMiB, 64 * kMiB})}, 4},
        {"MemoryTolerable", Memory(80), {.current = 2, .ready = 2, .usage = Bytes({96 * kMiB, 64 * kMiB})}, 2},
        // 10 of 100 by one of two; the other counts as the target: 55 / 100, times 2 = 1.1.
        {"MemoryUnread", Memory(100), {.current = 2, .ready = 2, .usage = Bytes({10 * kMiB})}, 2},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace updraft::autoscaler
