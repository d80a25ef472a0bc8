#include "node-agent/instance/instance_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace updraft::node_agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

// The words of actions, so that a failing expectation can be read.
std::string Word(const RunId& run) { return " " + std::to_string(run.container) + "." + std::to_string(run.run); }
std::string Word(const Action& action) {
  struct Say {
    std::string operator()(const action::EnsureImage& a) { return "image " + std::to_string(a.container); }
    std::string operator()(const action::ClaimNetwork&) { return "network"; }
    std::string operator()(const action::PrepareRoot& a) { return "prepare" + Word(a.run); }
    std::string operator()(const action::Create& a) { return "create" + Word(a.run); }
    std::string operator()(const action::Start& a) { return "start" + Word(a.run); }
    std::string operator()(const action::Probe& a) { return "probe" + Word(a.run); }
    std::string operator()(const action::Signal& a) { return (a.signal == SIGTERM ? "term" : "kill") + Word(a.run); }
    std::string operator()(const action::Remove& a) { return "remove" + Word(a.run); }
    std::string operator()(const action::RememberReady& a) { return "remember" + Word(a.run); }
    std::string operator()(const action::ReleaseNetwork&) { return "release"; }
    std::string operator()(const action::Report&) { return "report"; }
    std::string operator()(const action::Forget&) { return "forget"; }
  };
  return std::visit(Say{}, action);
}

v1::InstanceSpec OneContainer() {
  v1::InstanceSpec spec;
  spec.set_instance_id("hello-1");
  spec.set_namespace_("default");
  spec.set_revision("hello-00001");
  spec.set_serving_container("user");
  spec.set_port(8080);
  spec.set_termination_grace_ns(Nanos(Seconds(30)).count());
  v1::Container& container = *spec.add_containers();
  container.set_name("user");
  container.set_image("img");
  return spec;
}

class Subject {
 public:
  explicit Subject(const v1::InstanceSpec& spec = OneContainer())
      : machine(std::make_shared<v1::InstanceSpec>(spec)) {}

  // Every action but reports, which most tests see by their content.
  std::vector<std::string> On(const Event& event) {
    std::vector<std::string> words;
    reported = false;
    for (const Action& action : machine.Handle(event, {clock.Now(), clock.Wall()})) {
      const std::string word = Word(action);
      if (word == "report") {
        EXPECT_TRUE(words.empty()) << "the report is first";
        reported = true;
      } else {
        words.push_back(word);
      }
    }
    return words;
  }
  std::vector<std::string> Tick(Nanos after) {
    clock.Advance(after);
    return On(event::Tick{});
  }

  void RunTo(RunId run, const char* until) {
    if (run.run == 0 && machine.state(run.container) == RunState::kWaiting && !begun) {
      On(event::Begin{});
      On(event::NetworkReady{"10.0.0.2"});
      begun = true;
    }
    if (machine.state(run.container) == RunState::kWaiting) On(event::ImageReady{run.container});
    if (until == std::string("creating")) return;
    On(event::Created{.run = run, .claimed = clock.Wall()});
    if (until == std::string("starting")) return;
    On(event::Started{run});
    if (until == std::string("running")) return;
    On(event::Health{.run = run, .health = {.started = true, .ready = true}, .message = {}});
    On(event::Listening{run});
  }
  void Crash(RunId run, uint32_t status = 1) {
    On(event::Exited{.run = run, .exit_status = status, .message = "why", .finished = clock.Wall()});
    On(event::ImageReady{run.container});
    On(event::Removed{run});
  }

  const v1::ContainerReport& Container(int place = 0) const { return machine.report().containers(place); }

  FakeClock clock;
  InstanceMachine machine;
  bool reported = false;
  bool begun = false;
};

constexpr RunId kFirst{0, 0};
constexpr RunId kSecond{0, 1};

// ---- starting

TEST(InstanceMachineTest, FetchesEverythingAtOnce) {
  Subject subject;
  EXPECT_THAT(subject.On(event::Begin{}), ElementsAre("network", "image 0"));
  EXPECT_TRUE(subject.reported);
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_PENDING);
}

TEST(InstanceMachineTest, TheRootFileSystemDoesNotWaitForTheNetwork) {
  Subject subject;
  subject.On(event::Begin{});
  EXPECT_THAT(subject.On(event::ImageReady{0}), ElementsAre("prepare 0.0"));
  EXPECT_THAT(subject.On(event::NetworkReady{"10.0.0.2"}), ElementsAre("create 0.0"));
}

TEST(InstanceMachineTest, NorTheNetworkForTheImage) {
  Subject subject;
  subject.On(event::Begin{});
  EXPECT_THAT(subject.On(event::NetworkReady{"10.0.0.2"}), IsEmpty());
  EXPECT_THAT(subject.On(event::ImageReady{0}), ElementsAre("prepare 0.0", "create 0.0"));
}

TEST(InstanceMachineTest, CreatedStartedListeningReady) {
  Subject subject;
  subject.RunTo(kFirst, "creating");
  EXPECT_THAT(subject.On(event::Created{.run = kFirst, .claimed = subject.clock.Wall()}), ElementsAre("start 0.0"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_PENDING);
  subject.clock.Advance(Millis(5));
  EXPECT_THAT(subject.On(event::Started{kFirst}), ElementsAre("probe 0.0"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STARTING);
  EXPECT_EQ(subject.machine.report().ip(), "10.0.0.2");
  subject.clock.Advance(Millis(1));
  EXPECT_THAT(subject.On(event::Listening{kFirst}), IsEmpty());
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STARTING);
  subject.clock.Advance(Millis(1));
  EXPECT_THAT(subject.On(event::Health{.run = kFirst, .health = {.started = true, .ready = true}, .message = {}}),
              ElementsAre("remember 0.0"));
  EXPECT_TRUE(subject.reported);
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
  const v1::ColdStart& cold = subject.machine.report().cold_start();
  EXPECT_EQ(cold.started_ns() - cold.claimed_ns(), 5'000'000);
  EXPECT_EQ(cold.listening_ns() - cold.started_ns(), 1'000'000);
  EXPECT_EQ(cold.ready_ns() - cold.listening_ns(), 1'000'000);
}

TEST(InstanceMachineTest, APortThatListensProvesThatItHasStarted) {
  Subject subject;
  subject.RunTo(kFirst, "starting");
  EXPECT_THAT(subject.On(event::Listening{kFirst}), ElementsAre("probe 0.0"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STARTING);
  EXPECT_THAT(subject.On(event::Started{kFirst}), IsEmpty());
}

TEST(InstanceMachineTest, ReadyNeedsThePortAsWellAsTheProbes) {
  Subject subject;
  subject.RunTo(kFirst, "running");
  subject.On(event::Health{.run = kFirst, .health = {.started = true, .ready = true}, .message = {}});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STARTING);
  subject.On(event::Listening{kFirst});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
}

TEST(InstanceMachineTest, WithoutAPortTheProbesSuffice) {
  v1::InstanceSpec spec = OneContainer();
  spec.set_port(0);
  Subject subject(spec);
  subject.RunTo(kFirst, "running");
  subject.On(event::Health{.run = kFirst, .health = {.started = true, .ready = true}, .message = {}});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
}

TEST(InstanceMachineTest, AProbeThatFailsLaterMakesItUnreadyAndReadyAgain) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  subject.On(event::Health{.run = kFirst, .health = {.started = true, .ready = false}, .message = {}});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_UNREADY);
  EXPECT_THAT(subject.On(event::Health{.run = kFirst, .health = {.started = true, .ready = true}, .message = {}}), IsEmpty());
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
}

TEST(InstanceMachineTest, NothingChangedNothingReported) {
  Subject subject;
  subject.RunTo(kFirst, "ready");
  const int64_t sequence = subject.machine.report().sequence();
  subject.On(event::Tick{});
  EXPECT_FALSE(subject.reported);
  EXPECT_EQ(subject.machine.report().sequence(), sequence);
}

// ---- what can fail before it runs

TEST(InstanceMachineTest, AnImageIsAskedForAgainAfterAWhileThatGrows) {
  Subject subject;
  subject.On(event::Begin{});
  const event::ImageFailed failed{.container = 0, .reason = "ErrImagePull", .message = "no such host"};
  EXPECT_THAT(subject.On(failed), IsEmpty());
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_PENDING);
  EXPECT_EQ(subject.machine.report().failure().reason(), "ErrImagePull");
  EXPECT_EQ(subject.machine.report().failure().message(), "no such host");
  EXPECT_THAT(subject.Tick(Millis(900)), IsEmpty());
  EXPECT_THAT(subject.Tick(Millis(100)), ElementsAre("image 0"));
  subject.On(failed);
  EXPECT_THAT(subject.Tick(Millis(1900)), IsEmpty());
  EXPECT_THAT(subject.Tick(Millis(100)), ElementsAre("image 0"));
  subject.On(failed);
  EXPECT_EQ(subject.machine.report().failure().reason(), "ImagePullBackOff");
  EXPECT_EQ(subject.machine.report().failure().message(), "Back-off pulling image \"img\": no such host");
  subject.On(event::ImageReady{0});
  EXPECT_FALSE(subject.machine.report().has_failure());
}

TEST(InstanceMachineTest, AReasonOfItsOwnIsKept) {
  Subject subject;
  subject.On(event::Begin{});
  for (int i = 0; i < 4; ++i) subject.On(event::ImageFailed{.container = 0, .reason = "ErrImageNeverPull", .message = "m"});
  EXPECT_EQ(subject.machine.report().failure().reason(), "ErrImageNeverPull");
}

TEST(InstanceMachineTest, ANetworkIsAskedForAgain) {
  Subject subject;
  subject.On(event::Begin{});
  subject.On(event::ImageReady{0});
  subject.On(event::NetworkFailed{"no address left"});
  EXPECT_EQ(subject.machine.report().failure().reason(), "FailedCreatePodSandBox");
  EXPECT_THAT(subject.Tick(Millis(200)), ElementsAre("network"));
  EXPECT_THAT(subject.On(event::NetworkReady{"10.0.0.3"}), ElementsAre("create 0.0"));
}

TEST(InstanceMachineTest, AConfigErrorIsPendingAndTriedAgainLater) {
  Subject subject;
  subject.RunTo(kFirst, "creating");
  EXPECT_THAT(subject.On(event::CreateFailed{.run = kFirst, .blame = event::Blame::kConfig, .message = "bad user"}),
              ElementsAre("remove 0.0", "image 0"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_PENDING);
  EXPECT_EQ(subject.machine.report().failure().reason(), "CreateContainerConfigError");
  subject.On(event::ImageReady{0});
  EXPECT_THAT(subject.On(event::Removed{kFirst}), IsEmpty());
  EXPECT_THAT(subject.Tick(Seconds(9)), IsEmpty());
  EXPECT_THAT(subject.Tick(Seconds(1)), ElementsAre("prepare 0.1", "create 0.1"));
  EXPECT_EQ(subject.Container().restart_count(), 0);
}

TEST(InstanceMachineTest, AFailureOfTheMachineIsNobodysFault) {
  Subject subject;
  subject.RunTo(kFirst, "starting");
  subject.On(event::StartFailed{.run = kFirst, .blame = event::Blame::kMachine, .message = "containerd is away"});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_PENDING);
  subject.On(event::ImageReady{0});
  subject.On(event::Removed{kFirst});
  EXPECT_THAT(subject.Tick(Millis(100)), ElementsAre("prepare 0.1", "create 0.1"));
  EXPECT_EQ(subject.Container().restart_count(), 0);
}

TEST(InstanceMachineTest, AProgramThatCannotBeStartedIsACrash) {
  Subject subject;
  subject.RunTo(kFirst, "creating");
  subject.On(event::CreateFailed{.run = kFirst, .blame = event::Blame::kContainer, .message = "no such file"});
  EXPECT_EQ(subject.Container().last_termination().exit_code(), 128);
  subject.On(event::ImageReady{0});
  EXPECT_THAT(subject.On(event::Removed{kFirst}), ElementsAre("prepare 0.1", "create 0.1"));
  EXPECT_EQ(subject.Container().restart_count(), 1);
  subject.On(event::CreateFailed{.run = kSecond, .blame = event::Blame::kContainer, .message = "no such file"});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_BACKOFF);
  EXPECT_EQ(subject.machine.report().failure().reason(), "RunContainerError");
}

// ---- ends

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

// ---- several containers

v1::InstanceSpec WithInitAndSidecar() {
  v1::InstanceSpec spec = OneContainer();
  for (const char* name : {"init-a", "init-b"}) {
    v1::Container& init = *spec.add_init_containers();
    init.set_name(name);
    init.set_image("img");
  }
  v1::Container& sidecar = *spec.add_containers();
  sidecar.set_name("sidecar");
  sidecar.set_image("img");
  return spec;
}

TEST(InstanceMachineTest, InitContainersOneAfterTheOtherThenTheRestTogether) {
  Subject subject(WithInitAndSidecar());
  EXPECT_THAT(subject.On(event::Begin{}), ElementsAre("network", "image 0", "image 1", "image 2", "image 3"));
  subject.On(event::NetworkReady{"10.0.0.2"});
  for (int place = 3; place > 0; --place) EXPECT_THAT(subject.On(event::ImageReady{place}), IsEmpty());
  EXPECT_THAT(subject.On(event::ImageReady{0}), ElementsAre("prepare 0.0", "create 0.0"));
  for (int place = 0; place < 2; ++place) {
    const RunId run{place, 0};
    subject.On(event::Created{.run = run, .claimed = {}});
    subject.On(event::Started{run});
    EXPECT_THAT(subject.On(event::Exited{.run = run, .exit_status = 0, .message = {}, .finished = {}}),
                ElementsAre("remove " + std::to_string(place) + ".0"));
    EXPECT_TRUE(subject.Container(place).ready()) << "done, though it is not gone yet";
    const auto next = subject.On(event::Removed{run});
    const std::vector<std::string> others = {"prepare 2.0", "create 2.0", "prepare 3.0", "create 3.0"};
    EXPECT_EQ(next, place == 0 ? std::vector<std::string>({"prepare 1.0", "create 1.0"}) : others);
  }
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_PENDING);
  for (const int place : {2, 3}) {
    const RunId run{place, 0};
    subject.On(event::Created{.run = run, .claimed = {}});
    subject.On(event::Started{run});
    subject.On(event::Health{.run = run, .health = {.started = true, .ready = true}, .message = {}});
    EXPECT_NE(subject.machine.phase(), v1::INSTANCE_READY);
  }
  subject.On(event::Listening{{2, 0}});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
}

TEST(InstanceMachineTest, AnInitContainerThatFailsIsRunAgain) {
  Subject subject(WithInitAndSidecar());
  subject.On(event::Begin{});
  subject.On(event::NetworkReady{"10.0.0.2"});
  for (int place = 0; place < 4; ++place) subject.On(event::ImageReady{place});
  subject.On(event::Created{.run = kFirst, .claimed = {}});
  subject.On(event::Started{kFirst});
  subject.On(event::Exited{.run = kFirst, .exit_status = 1, .message = {}, .finished = {}});
  subject.On(event::ImageReady{0});
  EXPECT_THAT(subject.On(event::Removed{kFirst}), ElementsAre("prepare 0.1", "create 0.1"));
}

TEST(InstanceMachineTest, ASidecarThatCrashesIsRestartedAlone) {
  v1::InstanceSpec spec = WithInitAndSidecar();
  spec.clear_init_containers();
  Subject subject(spec);
  subject.On(event::Begin{});
  subject.On(event::NetworkReady{"10.0.0.2"});
  for (const int place : {0, 1}) {
    const RunId run{place, 0};
    subject.On(event::ImageReady{place});
    subject.On(event::Created{.run = run, .claimed = {}});
    subject.On(event::Started{run});
    subject.On(event::Health{.run = run, .health = {.started = true, .ready = true}, .message = {}});
  }
  subject.On(event::Listening{kFirst});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
  EXPECT_THAT(subject.On(event::Exited{.run = {1, 0}, .exit_status = 1, .message = {}, .finished = {}}),
              ElementsAre("remove 1.0", "image 1"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_UNREADY);
  EXPECT_THAT(subject.On(event::Stop{Seconds(1)}), ElementsAre("term 0.0"));
}

// ---- adoption

TEST(InstanceMachineTest, AnAdoptedOneThatWasReadyIsReadyAtOnce) {
  Subject subject;
  subject.machine.Adopt({{.container = 0, .run = 4, .running = true, .was_ready = true, .restarts = 3}}, "10.0.0.9",
                        {subject.clock.Now(), subject.clock.Wall()});
  EXPECT_THAT(subject.On(event::Begin{}), Contains("probe 0.4"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
  EXPECT_EQ(subject.machine.report().ip(), "10.0.0.9");
  EXPECT_EQ(subject.Container().restart_count(), 3);
}

TEST(InstanceMachineTest, ButOnlyAsLongAsItsProbesMayNeed) {
  Subject subject;
  subject.machine.Adopt({{.container = 0, .run = 0, .running = true, .was_ready = true}}, "10.0.0.9",
                        {subject.clock.Now(), subject.clock.Wall()});
  subject.On(event::Begin{});
  subject.On(event::Health{.run = kFirst, .health = {.started = true, .ready = false}, .message = {}});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
  subject.Tick(Seconds(10));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_UNREADY);
}

TEST(InstanceMachineTest, AProbeThatAgreesEndsTheDoubt) {
  Subject subject;
  subject.machine.Adopt({{.container = 0, .run = 0, .running = true, .was_ready = true}}, "10.0.0.9",
                        {subject.clock.Now(), subject.clock.Wall()});
  subject.On(event::Begin{});
  subject.On(event::Health{.run = kFirst, .health = {.started = true, .ready = true}, .message = {}});
  subject.Tick(Seconds(10));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
}

TEST(InstanceMachineTest, AnAdoptedOneThatWasNotReadyHasToShowIt) {
  Subject subject;
  subject.machine.Adopt({{.container = 0, .run = 0, .running = true}}, "10.0.0.9",
                        {subject.clock.Now(), subject.clock.Wall()});
  EXPECT_THAT(subject.On(event::Begin{}), Not(Contains("image 0")));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_STARTING);
  subject.On(event::Health{.run = kFirst, .health = {.started = true, .ready = true}, .message = {}});
  subject.On(event::Listening{kFirst});
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
}

TEST(InstanceMachineTest, TheRemainsOfOneThatEndedAreRemovedAndItRunsAgain) {
  Subject subject;
  subject.machine.Adopt({{.container = 0, .run = 4, .running = false}}, "10.0.0.9",
                        {subject.clock.Now(), subject.clock.Wall()});
  EXPECT_THAT(subject.On(event::Begin{}), ElementsAre("remove 0.4", "image 0"));
  subject.On(event::ImageReady{0});
  EXPECT_THAT(subject.On(event::Removed{{0, 4}}), ElementsAre("prepare 0.5", "create 0.5"));
}

TEST(InstanceMachineTest, AdoptedMainContainersMeanThatInitIsOver) {
  Subject subject(WithInitAndSidecar());
  subject.machine.Adopt({{.container = 2, .run = 0, .running = true, .was_ready = true},
                         {.container = 3, .run = 0, .running = true, .was_ready = true}},
                        "10.0.0.9", {subject.clock.Now(), subject.clock.Wall()});
  EXPECT_THAT(subject.On(event::Begin{}), ElementsAre("probe 2.0", "probe 3.0"));
  EXPECT_EQ(subject.machine.phase(), v1::INSTANCE_READY);
}

// ---- specs that can never run

TEST(InstanceMachineTest, ChecksItsSpec) {
  EXPECT_TRUE(InstanceMachine::Check(OneContainer()));
  v1::InstanceSpec spec = OneContainer();
  spec.set_serving_container("other");
  EXPECT_FALSE(InstanceMachine::Check(spec));
  spec = OneContainer();
  spec.clear_instance_id();
  EXPECT_FALSE(InstanceMachine::Check(spec));
  spec = OneContainer();
  spec.clear_containers();
  EXPECT_FALSE(InstanceMachine::Check(spec));
  spec = OneContainer();
  *spec.add_containers() = spec.containers(0);
  EXPECT_FALSE(InstanceMachine::Check(spec));
  spec = OneContainer();
  spec.mutable_containers(0)->clear_image();
  EXPECT_FALSE(InstanceMachine::Check(spec));
  spec = OneContainer();
  spec.set_port(70000);
  EXPECT_FALSE(InstanceMachine::Check(spec));
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
