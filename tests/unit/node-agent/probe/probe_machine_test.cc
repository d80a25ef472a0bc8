#include "node-agent/probe/probe_machine.h"

#include <gmock/gmock.h>

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kStart = TimePoint(std::chrono::hours(1));
constexpr auto kOk = ProbeResult::kSuccess;
constexpr auto kBad = ProbeResult::kFailure;
constexpr auto kNone = ProbeResult::kUnknown;

ProbePolicy Every(Nanos period) { return {.period = period}; }

// Feeds results one period apart.
void Feed(ProbeMachine& machine, ProbeKind kind, const std::vector<ProbeResult>& results,
          TimePoint& now) {
  for (const ProbeResult result : results) {
    machine.TakeDue(now);
    machine.OnResult(kind, result, now);
    now = machine.WakeAt().value_or(now + Seconds(1));
  }
}

struct ThresholdCase {
  std::string name;
  ProbeKind kind = ProbeKind::kReadiness;
  int success_threshold = 1;
  int failure_threshold = 3;
  std::vector<ProbeResult> results{};
  ContainerHealth want{};
};

class ThresholdTest : public testing::TestWithParam<ThresholdCase> {};

TEST_P(ThresholdTest, GivesTheVerdict) {
  const ThresholdCase& c = GetParam();
  const ProbePolicy policy{.period = Seconds(1),
                           .success_threshold = c.success_threshold,
                           .failure_threshold = c.failure_threshold};
  ProbePolicies policies;
  if (c.kind == ProbeKind::kStartup) policies.startup = policy;
  if (c.kind == ProbeKind::kReadiness) policies.readiness = policy;
  if (c.kind == ProbeKind::kLiveness) policies.liveness = policy;
  ProbeMachine machine(policies, kStart);
  TimePoint now = kStart;
  Feed(machine, c.kind, c.results, now);
  EXPECT_EQ(machine.Health(), c.want);
}

constexpr ContainerHealth kReady{.started = true, .ready = true};
constexpr ContainerHealth kUnready{.started = true};
constexpr ContainerHealth kNotStarted{};

INSTANTIATE_TEST_SUITE_P(
    Table, ThresholdTest,
    testing::ValuesIn(std::vector<ThresholdCase>{
        {"ReadinessBeginsUnready", ProbeKind::kReadiness, 1, 3, {}, kUnready},
        {"OneSuccessIsReady", ProbeKind::kReadiness, 1, 3, {kOk}, kReady},
        {"ManyFailuresBeforeTheFirstSuccessDoNoHarm",
         ProbeKind::kReadiness,
         1,
         3,
         {kBad, kBad, kBad, kBad, kBad, kOk},
         kReady},
        {"TwoOfThreeSuccessesAreNotEnough", ProbeKind::kReadiness, 3, 3, {kOk, kOk}, kUnready},
        {"AFailureBetweenStartsTheCountAgain",
         ProbeKind::kReadiness,
         3,
         3,
         {kOk, kOk, kBad, kOk, kOk},
         kUnready},
        {"ThreeSuccessesInARow", ProbeKind::kReadiness, 3, 3, {kBad, kOk, kOk, kOk}, kReady},
        {"TwoFailuresAreForgiven", ProbeKind::kReadiness, 1, 3, {kOk, kBad, kBad}, kReady},
        {"ThreeFailuresAreNot", ProbeKind::kReadiness, 1, 3, {kOk, kBad, kBad, kBad}, kUnready},
        {"ASuccessBetweenForgivesAgain",
         ProbeKind::kReadiness,
         1,
         3,
         {kOk, kBad, kBad, kOk, kBad, kBad},
         kReady},
        {"ReadinessComesBack", ProbeKind::kReadiness, 1, 3, {kOk, kBad, kBad, kBad, kOk}, kReady},
        {"UnknownNeitherCountsNorInterrupts",
         ProbeKind::kReadiness,
         1,
         3,
         {kOk, kBad, kBad, kNone, kBad},
         kUnready},
        {"LivenessBeginsAlive", ProbeKind::kLiveness, 1, 3, {}, kReady},
        {"LivenessForgivesTwo", ProbeKind::kLiveness, 1, 3, {kBad, kBad, kOk, kBad, kBad}, kReady},
        {"LivenessAsksForARestart",
         ProbeKind::kLiveness,
         1,
         3,
         {kOk, kBad, kBad, kBad},
         {.started = true, .ready = true, .restart = ProbeKind::kLiveness}},
        {"ARestartIsFinal",
         ProbeKind::kLiveness,
         1,
         1,
         {kBad, kOk, kOk},
         {.started = true, .ready = true, .restart = ProbeKind::kLiveness}},
        {"StartupHoldsBack", ProbeKind::kStartup, 1, 3, {kBad, kBad}, kNotStarted},
        {"StartupSucceeds", ProbeKind::kStartup, 1, 3, {kBad, kBad, kOk}, kReady},
        {"StartupFails",
         ProbeKind::kStartup,
         1,
         3,
         {kBad, kBad, kBad},
         {.restart = ProbeKind::kStartup}},
    }),
    [](const auto& test) { return test.param.name; });

TEST(ProbeMachineTest, WithoutProbesItIsReadyAndNothingIsEverDue) {
  ProbeMachine machine({}, kStart);
  EXPECT_EQ(machine.Health(), kReady);
  EXPECT_THAT(machine.TakeDue(kStart + Seconds(100)), IsEmpty());
  EXPECT_EQ(machine.WakeAt(), std::nullopt);
}

TEST(ProbeMachineTest, TheInitialDelayCountsFromTheStart) {
  ProbeMachine machine({.readiness = ProbePolicy{.initial_delay = Seconds(5)}}, kStart);
  EXPECT_EQ(machine.WakeAt(), kStart + Seconds(5));
  EXPECT_THAT(machine.TakeDue(kStart + Millis(4999)), IsEmpty());
  EXPECT_THAT(machine.TakeDue(kStart + Seconds(5)),
              ElementsAre(DueProbe{ProbeKind::kReadiness, Seconds(1)}));
}

TEST(ProbeMachineTest, NothingIsDueWhileAnAttemptIsInFlight) {
  ProbeMachine machine({.readiness = Every(Seconds(1))}, kStart);
  machine.TakeDue(kStart);
  EXPECT_EQ(machine.WakeAt(), std::nullopt);
  EXPECT_THAT(machine.TakeDue(kStart + Seconds(30)), IsEmpty());
}

TEST(ProbeMachineTest, ThePeriodRunsFromStartToStart) {
  ProbeMachine machine({.readiness = Every(Seconds(10))}, kStart);
  machine.TakeDue(kStart);
  machine.OnResult(ProbeKind::kReadiness, kOk, kStart + Seconds(3));
  EXPECT_EQ(machine.WakeAt(), kStart + Seconds(10));
}

TEST(ProbeMachineTest, AnAttemptLongerThanThePeriodIsFollowedAtOnce) {
  ProbeMachine machine({.readiness = Every(Seconds(1))}, kStart);
  machine.TakeDue(kStart);
  machine.OnResult(ProbeKind::kReadiness, kBad, kStart + Seconds(4));
  EXPECT_EQ(machine.WakeAt(), kStart + Seconds(4));
}

TEST(ProbeMachineTest, StartupHoldsTheOthersBackAndIsNotRepeated) {
  ProbeMachine machine(
      {.startup = Every(Seconds(1)), .readiness = Every(Seconds(1)), .liveness = Every(Seconds(1))},
      kStart);
  EXPECT_THAT(machine.TakeDue(kStart), ElementsAre(DueProbe{ProbeKind::kStartup, Seconds(1)}));
  machine.OnResult(ProbeKind::kStartup, kOk, kStart + Millis(5));
  EXPECT_THAT(machine.TakeDue(kStart + Millis(5)),
              ElementsAre(DueProbe{ProbeKind::kReadiness, Seconds(1)},
                          DueProbe{ProbeKind::kLiveness, Seconds(1)}));
}

TEST(ProbeMachineTest, AfterARestartIsAskedForNothingIsDue) {
  ProbeMachine machine(
      {.readiness = Every(Seconds(1)), .liveness = ProbePolicy{.failure_threshold = 1}}, kStart);
  machine.TakeDue(kStart);
  machine.OnResult(ProbeKind::kLiveness, kBad, kStart);
  machine.OnResult(ProbeKind::kReadiness, kOk, kStart);
  EXPECT_EQ(machine.WakeAt(), std::nullopt);
  EXPECT_THAT(machine.TakeDue(kStart + Seconds(60)), IsEmpty());
  EXPECT_FALSE(machine.Health().ready);
}

// ---- Knative's aggressive probing

ProbePolicy Aggressive() { return {.period = Seconds(1), .quick = QuickPace{}}; }

TEST(AggressiveProbeTest, ThePaceGrowsToFiftyMilliseconds) {
  ProbeMachine machine({.readiness = Aggressive()}, kStart);
  TimePoint now = kStart;
  std::vector<Nanos> pauses;
  for (int i = 0; i < 12; ++i) {
    machine.TakeDue(now);
    machine.OnResult(ProbeKind::kReadiness, kBad, now);
    pauses.push_back(*machine.WakeAt() - now);
    now = *machine.WakeAt();
  }
  EXPECT_EQ(pauses[0], Millis(5));
  EXPECT_EQ(pauses[1], std::chrono::microseconds(7500));
  EXPECT_EQ(pauses[10], Millis(50));
  EXPECT_EQ(pauses[11], Millis(50));
}

TEST(AggressiveProbeTest, AfterTenSecondsItCalmsDown) {
  ProbeMachine machine({.readiness = Aggressive()}, kStart);
  const TimePoint late = kStart + Seconds(10);
  machine.TakeDue(late);
  machine.OnResult(ProbeKind::kReadiness, kBad, late);
  EXPECT_EQ(machine.WakeAt(), late + Millis(250));
}

TEST(AggressiveProbeTest, TheTimeoutBeginsAtAHundredMillisecondsAndDoublesWhenItRunsOut) {
  ProbeMachine machine({.readiness = Aggressive()}, kStart);
  TimePoint now = kStart;
  std::vector<Nanos> timeouts;
  for (int i = 0; i < 5; ++i) {
    timeouts.push_back(machine.TakeDue(now).at(0).timeout);
    now += timeouts.back();
    machine.OnResult(ProbeKind::kReadiness, kBad, now);
    now = std::max(now, *machine.WakeAt());
  }
  EXPECT_THAT(timeouts,
              ElementsAre(Millis(100), Millis(200), Millis(400), Millis(800), Seconds(1)));
}

TEST(AggressiveProbeTest, AQuickFailureLeavesTheTimeoutAlone) {
  ProbeMachine machine({.readiness = Aggressive()}, kStart);
  machine.TakeDue(kStart);
  machine.OnResult(ProbeKind::kReadiness, kBad, kStart + Millis(1));
  EXPECT_EQ(machine.TakeDue(kStart + Millis(5)).at(0).timeout, Millis(100));
}

TEST(AggressiveProbeTest, OnceReadyThePeriodRules) {
  ProbeMachine machine({.readiness = Aggressive()}, kStart);
  machine.TakeDue(kStart);
  machine.OnResult(ProbeKind::kReadiness, kOk, kStart);
  EXPECT_EQ(machine.WakeAt(), kStart + Seconds(1));
  EXPECT_EQ(machine.TakeDue(kStart + Seconds(1)).at(0).timeout, Seconds(1));
}

TEST(AggressiveProbeTest, OnceUnreadyAgainThePaceIsQuickAgain) {
  ProbePolicy policy = Aggressive();
  policy.failure_threshold = 1;
  ProbeMachine machine({.readiness = policy}, kStart);
  TimePoint now = kStart;
  Feed(machine, ProbeKind::kReadiness, {kOk}, now);
  machine.TakeDue(now);
  machine.OnResult(ProbeKind::kReadiness, kBad, now);
  EXPECT_EQ(machine.WakeAt(), now + Millis(5));
}

// ---- the port begins to listen

TEST(ListeningTest, AWaitingProbeIsDueAtOnce) {
  ProbeMachine machine({.readiness = Every(Seconds(10))}, kStart);
  machine.TakeDue(kStart);
  machine.OnResult(ProbeKind::kReadiness, kBad, kStart + Millis(1));
  machine.OnListening(kStart + Millis(80));
  EXPECT_EQ(machine.WakeAt(), kStart + Millis(80));
}

TEST(ListeningTest, TheInitialDelayIsKept) {
  ProbeMachine machine({.readiness = ProbePolicy{.initial_delay = Seconds(2)}}, kStart);
  machine.OnListening(kStart + Millis(80));
  EXPECT_EQ(machine.WakeAt(), kStart + Seconds(2));
}

TEST(ListeningTest, AFailureThatWasInFlightIsTriedAgainAtOnceButOnce) {
  ProbeMachine machine({.readiness = Every(Seconds(10))}, kStart);
  machine.TakeDue(kStart);
  machine.OnListening(kStart + Millis(2));
  machine.OnResult(ProbeKind::kReadiness, kBad, kStart + Millis(3));
  EXPECT_EQ(machine.WakeAt(), kStart + Millis(3));
  machine.TakeDue(kStart + Millis(3));
  machine.OnResult(ProbeKind::kReadiness, kBad, kStart + Millis(4));
  EXPECT_EQ(machine.WakeAt(), kStart + Millis(3) + Seconds(10));
}

TEST(ListeningTest, AReadyContainerIsLeftAlone) {
  ProbeMachine machine({.readiness = Every(Seconds(10))}, kStart);
  machine.TakeDue(kStart);
  machine.OnResult(ProbeKind::kReadiness, kOk, kStart);
  machine.OnListening(kStart + Millis(80));
  EXPECT_EQ(machine.WakeAt(), kStart + Seconds(10));
}

TEST(ListeningTest, LivenessIsLeftAlone) {
  ProbeMachine machine({.liveness = ProbePolicy{.initial_delay = Seconds(3)}}, kStart);
  machine.OnListening(kStart + Millis(80));
  EXPECT_EQ(machine.WakeAt(), kStart + Seconds(3));
}

TEST(ListeningTest, ASuccessSeenElsewhereCountsWithoutAnAttempt) {
  ProbeMachine machine({.readiness = Aggressive()}, kStart);
  machine.OnResult(ProbeKind::kReadiness, kOk, kStart + Millis(12));
  EXPECT_EQ(machine.Health(), kReady);
  EXPECT_EQ(machine.WakeAt(), kStart + Millis(12) + Seconds(1));
}

}  // namespace
}  // namespace updraft::node_agent
