// Containers that end and are run again, and instances that are stopped or evicted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/node-agent/instance/instance_machine_fixture.h"

namespace updraft::node_agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(InstanceMachineTest, CrashesWaitLongerAndLonger) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.Crash(kFirst, 3);
  EXPECT_EQ(subject.Container().restart_count(), 1);  // at once
  EXPECT_EQ(subject.Container().last_termination().exit_code(), 3);
  EXPECT_EQ(subject.Container().last_termination().message(), "why");
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STARTING);
  Nanos wait = Seconds(10);
  for (int run = 1; run <= 8; ++run) {
    const RunId id{0, run};
    subject.RunTo(id, "running");
    subject.Crash(id);
    EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_BACKOFF);
    EXPECT_EQ(subject.Container().restart_count(), run);
    EXPECT_EQ(subject.machine.WakeAt(), subject.clock.Now() + wait) << run;
    EXPECT_THAT(subject.Tick(wait - Millis(1)), IsEmpty());
    EXPECT_THAT(subject.Tick(Millis(1)), Contains("create 0." + std::to_string(run + 1)));
    wait = std::min<Nanos>(wait * 2, std::chrono::minutes(5));
  }
}

TEST(InstanceMachineTest, ALongRunForgivesTheCrashesBeforeIt) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.Crash(kFirst);
  subject.RunTo(kSecond, "ready");
  subject.clock.Advance(std::chrono::minutes(10) + Seconds(1));
  subject.Crash(kSecond);
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STARTING);  // at once again
  EXPECT_EQ(subject.Container().restart_count(), 2);
}

TEST(InstanceMachineTest, EndingWellIsAnEndAllTheSame) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.Crash(kFirst, 0);
  EXPECT_EQ(subject.Container().restart_count(), 1);
  EXPECT_EQ(subject.Container().last_termination().exit_code(), 0);
}

TEST(InstanceMachineTest, SignalsAndMemoryAreNamed) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.Crash(kFirst);
  subject.RunTo(kSecond, "running");
  subject.On(event::Exited{.run = kSecond, .exit_status = 137, .out_of_memory = true, .message = {}, .finished = {}});
  EXPECT_EQ(subject.Container().last_termination().signal(), 9);
  EXPECT_TRUE(subject.Container().last_termination().oom_killed());
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_BACKOFF);
  EXPECT_EQ(subject.machine.report().failure().reason(), "OOMKilled");
}

TEST(InstanceMachineTest, AnEndBeforeTheAnswerOfTheStart) {
  Subject subject;
  subject.RunTo(kFirst, "starting");
  EXPECT_THAT(subject.On(event::Exited{.run = kFirst, .exit_status = 1, .message = {}, .finished = {}}),
              ElementsAre("remove 0.0", "image 0"));
  EXPECT_THAT(subject.On(event::Started{kFirst}), IsEmpty());
  EXPECT_THAT(subject.On(event::Listening{kFirst}), IsEmpty());
}

TEST(InstanceMachineTest, WhatIsSaidOfAnEarlierRunIsNotHeard) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.Crash(kFirst);
  subject.RunTo(kSecond, "ready");
  EXPECT_THAT(subject.On(event::Exited{.run = kFirst, .exit_status = 1, .message = {}, .finished = {}}), IsEmpty());
  EXPECT_THAT(subject.On(event::Health{.run = kFirst, .health = {}, .message = {}}), IsEmpty());
  EXPECT_THAT(subject.On(event::Removed{kFirst}), IsEmpty());
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
}

TEST(InstanceMachineTest, AProbeAsksForARestart) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  EXPECT_THAT(subject.On(event::Health{.run = kFirst,
                                       .health = {.started = true, .ready = true, .restart = ProbeKind::kLiveness},
                                       .message = "Liveness probe failed"}),
              ElementsAre("term 0.0"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_UNREADY);
  EXPECT_THAT(subject.Tick(Seconds(30)), ElementsAre("kill 0.0"));
  subject.Crash(kFirst, 137);
  EXPECT_EQ(subject.Container().restart_count(), 1);
}

// ---- stopping

TEST(InstanceMachineTest, TermGraceKillRemove) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  EXPECT_THAT(subject.On(event::Stop{Seconds(5)}), ElementsAre("term 0.0"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STOPPING);
  EXPECT_EQ(subject.machine.WakeAt(), subject.clock.Now() + Seconds(5));
  EXPECT_THAT(subject.Tick(Seconds(5)), ElementsAre("kill 0.0"));
  EXPECT_THAT(subject.On(event::Exited{.run = kFirst, .exit_status = 137, .message = {}, .finished = {}}),
              ElementsAre("remove 0.0"));
  EXPECT_THAT(subject.On(event::Removed{kFirst}), ElementsAre("release", "forget"));
  EXPECT_TRUE(subject.reported);
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STOPPED);
  EXPECT_EQ(subject.machine.WakeAt(), std::nullopt);
}

TEST(InstanceMachineTest, WithoutGraceItIsKilledAtOnce) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  EXPECT_THAT(subject.On(event::Stop{Nanos(0)}), ElementsAre("kill 0.0"));
}

TEST(InstanceMachineTest, ASecondStopMayOnlyShortenTheGrace) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.On(event::Stop{Seconds(60)});
  EXPECT_THAT(subject.On(event::Stop{Seconds(100)}), IsEmpty());
  EXPECT_EQ(subject.machine.WakeAt(), subject.clock.Now() + Seconds(60));
  subject.On(event::Stop{Seconds(1)});
  EXPECT_EQ(subject.machine.WakeAt(), subject.clock.Now() + Seconds(1));
}

TEST(InstanceMachineTest, AnEndThatIsNeverHeardOfIsAskedAfter) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.On(event::Stop{Seconds(5)});
  subject.Tick(Seconds(5));
  EXPECT_THAT(subject.Tick(Seconds(9)), IsEmpty());
  EXPECT_THAT(subject.Tick(Seconds(1)), ElementsAre("remove 0.0"));
}

struct StopCase {
  std::string name;
  const char* until;
  std::vector<std::string> at_stop;
};

class StopEarlyTest : public testing::TestWithParam<StopCase> {};

TEST_P(StopEarlyTest, LeavesNothing) {
  Subject subject;
  subject.RunTo(kFirst, GetParam().until);
  EXPECT_EQ(subject.On(event::Stop{Seconds(5)}), GetParam().at_stop);
}

INSTANTIATE_TEST_SUITE_P(Table, StopEarlyTest,
                         testing::ValuesIn(std::vector<StopCase>{
                             {"WhileCreating", "creating", {"remove 0.0"}},
                             {"WhileStarting", "starting", {}},
                             {"WhileRunning", "running", {"term 0.0"}},
                         }),
                         [](const auto& test) { return test.param.name; });

TEST(InstanceMachineTest, AStopInTheMiddleOfAStartIsCarriedOutAfterIt) {
  Subject subject;
  subject.RunTo(kFirst, "starting");
  subject.On(event::Stop{Seconds(5)});
  EXPECT_THAT(subject.On(event::Started{kFirst}), ElementsAre("term 0.0"));
}

TEST(InstanceMachineTest, AStopBeforeAnythingIsThereIsTheEnd) {
  Subject subject;
  subject.On(event::Begin{});
  EXPECT_THAT(subject.On(event::Stop{Seconds(5)}), ElementsAre("release", "forget"));
  EXPECT_THAT(subject.On(event::ImageReady{0}), IsEmpty());  // nobody listens any more
  EXPECT_THAT(subject.On(event::NetworkReady{"10.0.0.2"}), IsEmpty());
}

TEST(InstanceMachineTest, AStopDuringBackoffStartsNothingMore) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.Crash(kFirst);
  subject.RunTo(kSecond, "running");
  subject.Crash(kSecond);
  EXPECT_THAT(subject.On(event::Stop{Seconds(5)}), ElementsAre("release", "forget"));
}

TEST(InstanceMachineTest, AStopWhileTheRemainsOfACrashAreRemoved) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.On(event::Exited{.run = kFirst, .exit_status = 1, .message = {}, .finished = {}});
  EXPECT_THAT(subject.On(event::Stop{Seconds(5)}), IsEmpty());
  EXPECT_THAT(subject.On(event::Removed{kFirst}), ElementsAre("release", "forget"));
}

// ---- eviction

TEST(InstanceMachineTest, AnEvictedInstanceIsEndedAndHasFailed) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  ASSERT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
  EXPECT_THAT(subject.On(event::Evict{"too much"}), ElementsAre("term 0.0"));
  EXPECT_EQ(subject.machine.report().phase(), v1::INSTANCE_STOPPING);
  EXPECT_EQ(subject.machine.report().failure().reason(), "Evicted");
  EXPECT_THAT(subject.On(event::Evict{"again"}), IsEmpty());
  EXPECT_THAT(subject.Tick(Seconds(1)), ElementsAre("kill 0.0"));
  EXPECT_THAT(subject.On(event::Exited{.run = kFirst, .exit_status = 137, .message = {}, .finished = {}}),
              ElementsAre("remove 0.0"));
  EXPECT_THAT(subject.On(event::Removed{kFirst}), ElementsAre("release", "forget"));
  EXPECT_EQ(subject.machine.report().phase(), v1::INSTANCE_FAILED);
  EXPECT_EQ(subject.machine.report().failure().message(), "too much");
}

TEST(InstanceMachineTest, WhatIsBeingStoppedIsNotEvicted) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.On(event::Stop{Seconds(5)});
  EXPECT_THAT(subject.On(event::Evict{"too much"}), IsEmpty());
  EXPECT_EQ(subject.machine.report().failure().reason(), "");
}

}  // namespace
}  // namespace updraft::node_agent
