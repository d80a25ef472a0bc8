// From a spec to an instance that is ready: in which order, what may fail on the way, and several containers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/node-agent/instance/instance_machine_fixture.h"

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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

// ---- several containers

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

}  // namespace
}  // namespace updraft::node_agent
