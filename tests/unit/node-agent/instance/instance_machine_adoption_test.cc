// Instances that a restarted node-agent finds and goes on with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/node-agent/instance/instance_machine_fixture.h"

namespace updraft::node_agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

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

}  // namespace
}  // namespace updraft::node_agent
