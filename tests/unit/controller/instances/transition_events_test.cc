#include "controller/instances/transition_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/instances/builders.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// An instance that was placed here and whose node is heard for the first time.
class TransitionEventsTest : public testing::Test {
 protected:
  TransitionEventsTest() {
    instance_.id = "i";
    instance_.revision = "d/r";
    instance_.cold_start.set_placed_ns(1);
  }

  // What `report` gives rise to; it is then what was said last.
  std::vector<std::string> Say(const v1::InstanceReport& report) {
    std::vector<std::string> said;
    for (const InstanceEvent& event : EventsOfTransition(instance_, report)) {
      const char* type = event.type == InstanceEvent::Type::kWarning ? "Warning" : "Normal";
      said.push_back(std::string(type) + " " + event.reason + ": " + event.message);
    }
    instance_.report = report;
    instance_.reported = true;
    instance_.phase = report.phase();
    return said;
  }
  static v1::InstanceReport Report(v1::InstancePhase phase) {
    v1::InstanceReport report;
    report.set_phase(phase);
    report.add_containers()->set_name("app");
    report.mutable_containers(0)->set_image("reg/app");
    return report;
  }

  Instance instance_;
};

TEST_F(TransitionEventsTest, AStartIsPulledCreatedStarted) {
  v1::InstanceReport report = Report(v1::INSTANCE_PENDING);
  EXPECT_THAT(Say(report), IsEmpty());
  report.mutable_cold_start()->set_claimed_ns(5);
  report.mutable_containers(0)->set_container_id("c1");
  EXPECT_THAT(Say(report),
              ElementsAre("Normal Pulled: Container image \"reg/app\" is present on the node",
                          "Normal Created: Created container app"));
  report.set_phase(v1::INSTANCE_STARTING);
  report.mutable_containers(0)->set_running(true);
  report.mutable_containers(0)->set_started_at_ns(7);
  EXPECT_THAT(Say(report), ElementsAre("Normal Started: Started container app"));
  report.set_phase(v1::INSTANCE_READY);
  EXPECT_THAT(Say(report), IsEmpty());
}

TEST_F(TransitionEventsTest, ACrashAndItsBackOff) {
  v1::InstanceReport report = Report(v1::INSTANCE_READY);
  Say(report);
  report.set_phase(v1::INSTANCE_BACKOFF);
  report.mutable_failure()->set_reason("CrashLoopBackOff");
  report.mutable_failure()->set_message("back-off 10s");
  report.mutable_containers(0)->mutable_last_termination()->set_exit_code(3);
  report.mutable_containers(0)->mutable_last_termination()->set_finished_at_ns(9);
  EXPECT_THAT(Say(report),
              ElementsAre("Warning ContainerDied: Container app ended with exit code 3",
                          "Warning BackOff: CrashLoopBackOff: back-off 10s"));
  EXPECT_THAT(Say(report), IsEmpty());
}

TEST_F(TransitionEventsTest, OutOfMemoryIsSaid) {
  Say(Report(v1::INSTANCE_READY));
  v1::InstanceReport report = Report(v1::INSTANCE_BACKOFF);
  report.mutable_containers(0)->mutable_last_termination()->set_exit_code(137);
  report.mutable_containers(0)->mutable_last_termination()->set_oom_killed(true);
  report.mutable_containers(0)->mutable_last_termination()->set_finished_at_ns(9);
  EXPECT_THAT(
      Say(report),
      ElementsAre("Warning OOMKilled: Container app was killed: out of memory (exit code 137)"));
}

TEST_F(TransitionEventsTest, AnImageThatCannotBePulled) {
  v1::InstanceReport report = Report(v1::INSTANCE_PENDING);
  report.mutable_failure()->set_reason("ErrImagePull");
  report.mutable_failure()->set_message("no such tag");
  EXPECT_THAT(Say(report), ElementsAre("Warning Failed: ErrImagePull: no such tag"));
  report.mutable_failure()->set_reason("ImagePullBackOff");
  EXPECT_THAT(Say(report), ElementsAre("Warning BackOff: ImagePullBackOff: no such tag"));
}

TEST_F(TransitionEventsTest, ALostReadinessIsUnhealthy) {
  Say(Report(v1::INSTANCE_READY));
  EXPECT_THAT(Say(Report(v1::INSTANCE_UNREADY)),
              ElementsAre("Warning Unhealthy: Readiness probe failed"));
}

TEST_F(TransitionEventsTest, TheEndOfOneThatWasToldToStopIsNoCrash) {
  Say(Report(v1::INSTANCE_STOPPING));
  v1::InstanceReport report = Report(v1::INSTANCE_STOPPED);
  report.mutable_containers(0)->mutable_last_termination()->set_exit_code(143);
  report.mutable_containers(0)->mutable_last_termination()->set_finished_at_ns(9);
  EXPECT_THAT(Say(report), IsEmpty());
}

TEST_F(TransitionEventsTest, NothingIsToldTwiceOfAnAdoptedOne) {
  instance_.cold_start.Clear();
  v1::InstanceReport report = Report(v1::INSTANCE_READY);
  report.mutable_containers(0)->set_running(true);
  EXPECT_THAT(Say(report), IsEmpty());
}

TEST_F(TransitionEventsTest, AnEvictionIsToldOnceInItsOwnWords) {
  Say(Report(v1::INSTANCE_READY));
  v1::InstanceReport report = Report(v1::INSTANCE_STOPPING);
  report.mutable_failure()->set_reason("Evicted");
  report.mutable_failure()->set_message(
      "Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\".");
  EXPECT_THAT(
      Say(report),
      ElementsAre("Warning Evicted: Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\"."));
  report.set_phase(v1::INSTANCE_FAILED);
  EXPECT_THAT(Say(report), IsEmpty());
}

}  // namespace
}  // namespace updraft::controller
