#include "controller/instances/giving_up.h"

#include <gtest/gtest.h>

#include <vector>

namespace updraft::controller {
namespace {

TEST(NextTrialTest, EveryRow) {
  struct Row {
    const char* what;
    Trial before;
    TrialFacts facts;
    Trial after;
  };
  const std::vector<Row> rows = {
      {"new, and nothing of it yet", Trial::kUnjudged, {}, Trial::kOn},
      {"starts", Trial::kOn, {.placed = 2}, Trial::kOn},
      {"one may still come right", Trial::kOn, {.placed = 3, .beyond_hope = 2}, Trial::kOn},
      {"all are beyond hope", Trial::kOn, {.placed = 3, .beyond_hope = 3}, Trial::kGivenUp},
      {"and others wait for room", Trial::kOn, {.placed = 3, .beyond_hope = 3, .waiting = 9}, Trial::kGivenUp},
      {"all wait for room", Trial::kOn, {.waiting = 9}, Trial::kOn},
      {"the same, when conditions tell of a failure", Trial::kOn, {.waiting = 9, .broken = true}, Trial::kOn},
      {"found so by a new controller", Trial::kUnjudged, {.placed = 1, .beyond_hope = 1}, Trial::kGivenUp},
      {"an earlier controller gave it up", Trial::kUnjudged, {.broken = true}, Trial::kGivenUp},
      {"or had started another try", Trial::kUnjudged, {.placed = 1, .broken = true}, Trial::kOn},
      {"which waits for room", Trial::kUnjudged, {.waiting = 1, .broken = true}, Trial::kOn},
      {"went to zero with a failure, not given up", Trial::kOn, {.broken = true}, Trial::kOn},
      {"its time was up", Trial::kOn, {.broken = true, .timed_out = true}, Trial::kGivenUp},
      {"its time was up, for want of room", Trial::kOn, {.timed_out = true}, Trial::kOn},
      {"stays given up with nothing", Trial::kGivenUp, {}, Trial::kGivenUp},
      {"with one that runs once more", Trial::kGivenUp, {.placed = 1}, Trial::kGivenUp},
      {"with one that waits for room", Trial::kGivenUp, {.waiting = 1}, Trial::kGivenUp},
      {"but not with one that is ready", Trial::kGivenUp, {.ready = 1, .placed = 2, .beyond_hope = 1}, Trial::kOn},
      {"one is ready, conditions are of before", Trial::kUnjudged, {.ready = 1, .placed = 1, .broken = true},
       Trial::kOn},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(NextTrial(row.before, row.facts), row.after) << row.what;
    const Trial again = NextTrial(row.after, row.facts);
    EXPECT_EQ(again, row.after) << row.what << ": does not stay by itself";
  }
}

TEST(CrashLoopsTest, ThreeCrashesInBackOff) {
  v1::InstanceReport report;
  report.set_phase(v1::INSTANCE_BACKOFF);
  v1::ContainerReport& container = *report.add_containers();
  container.set_restart_count(1);
  EXPECT_FALSE(CrashLoops(report)) << "its second";
  container.set_restart_count(2);
  EXPECT_TRUE(CrashLoops(report));
  container.set_running(true);  // another container's back-off
  EXPECT_FALSE(CrashLoops(report));
  container.set_running(false);
  container.set_ready(true);  // an init container that has done its work
  EXPECT_FALSE(CrashLoops(report));
  container.set_ready(false);
  // A crash after it has run for long is none in a row: its node starts it at once.
  report.set_phase(v1::INSTANCE_STARTING);
  EXPECT_FALSE(CrashLoops(report));
}

TEST(HopelessTest, EveryReason) {
  Instance instance;
  instance.phase = v1::INSTANCE_PENDING;
  EXPECT_FALSE(HopelessNow(instance, 9)) << "not failed itself";
  for (const char* reason : {"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"}) {
    instance.report.mutable_failure()->set_reason(reason);
    EXPECT_TRUE(HopelessNow(instance, 0)) << reason;
  }
  instance.report.mutable_failure()->set_reason("ErrImagePull");
  EXPECT_FALSE(HopelessNow(instance, 0));
  instance.phase = v1::INSTANCE_FAILED;
  EXPECT_FALSE(HopelessNow(instance, 2));
  EXPECT_TRUE(HopelessNow(instance, 3));
  instance.phase = v1::INSTANCE_STARTING;
  EXPECT_FALSE(BeyondHope(instance, 0));
  instance.crash_loops = true;
  EXPECT_TRUE(BeyondHope(instance, 0));
  EXPECT_FALSE(HopelessNow(instance, 0)) << "it runs once more";
}

}  // namespace
}  // namespace updraft::controller
