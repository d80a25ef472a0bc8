#include "cli/supervise/restart_policy.h"

#include <gtest/gtest.h>

namespace updraft::cli {
namespace {

constexpr TimePoint kStart{Seconds(1000)};

TEST(RestartPolicyTest, TheFirstEndIsAnsweredAtOnce) {
  const RestartDecision decision = DecideRestart({}, kStart, kStart + Seconds(1), 0.5);
  EXPECT_EQ(decision.start_at, kStart + Seconds(1));
  EXPECT_EQ(decision.memory.restarts, 1);
}

TEST(RestartPolicyTest, EndsInARowWaitLongerUpToTheMost) {
  RestartMemory memory;
  Nanos last = Nanos(-1);
  TimePoint now = kStart;
  for (int i = 0; i < 20; ++i) {
    const RestartDecision decision = DecideRestart(memory, now, now, 0.0);
    EXPECT_GE(decision.start_at - now, last);
    EXPECT_LE(decision.start_at - now, kRestartBackoff.most);
    last = decision.start_at - now;
    memory = decision.memory;
    now = decision.start_at;
  }
  EXPECT_EQ(last, kRestartBackoff.most / 2);  // without jitter, half of the most
  EXPECT_EQ(memory.restarts, 20);
}

TEST(RestartPolicyTest, ASteadyRunForgetsThePast) {
  const RestartMemory memory{.failures_in_row = 7, .restarts = 7};
  const RestartDecision decision = DecideRestart(memory, kStart, kStart + kSteadyAfter, 0.9);
  EXPECT_EQ(decision.start_at, kStart + kSteadyAfter);
  EXPECT_EQ(decision.memory.failures_in_row, 1);
  EXPECT_EQ(decision.memory.restarts, 8);
}

}  // namespace
}  // namespace updraft::cli
