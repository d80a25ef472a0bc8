// What requests meet when instances drain, fail or are gone, and when revisions cannot serve, are removed or not known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <memory>
#include <string>

#include "tests/unit/activator/workers.h"

namespace updraft::activator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DispatcherTest, ADrainingInstanceGetsNothingNewAndSaysWhenItIsEmpty) {
  TestWorkers workers(1);
  workers.Declare(2);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  a.Ask();
  workers.Endpoints({"2"}, {"1"});
  EXPECT_EQ(a.Ask(), Admission::kGranted);
  EXPECT_EQ(a[2].held.instance->id(), "2");
  a.Release(0);
  EXPECT_THAT(workers.drained_ids, IsEmpty());
  a.Release(1);
  EXPECT_THAT(workers.drained_ids, ElementsAre("1"));
}

TEST(DispatcherTest, AnEmptyInstanceIsDrainedAtOnce) {
  TestWorkers workers(1);
  workers.Declare(2);
  workers.Endpoints({"1"});
  workers.Endpoints({}, {"1"});
  EXPECT_THAT(workers.drained_ids, ElementsAre("1"));
}

TEST(DispatcherTest, RequestsThatWaitBehindADrainingInstanceDemandAnother) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  EXPECT_EQ(a.Ask(), Admission::kWaiting);
  EXPECT_EQ(workers.demands, 0);
  workers.Endpoints({}, {"1"});
  EXPECT_EQ(workers.demands, 1);
  a.Release(0);
  workers.Settle();
  EXPECT_EQ(a[1].settled, 0) << "the drained slot is nobody's";
}

TEST(DispatcherTest, AnInstanceThatIsGoneKeepsItsRequestsUntilTheyEnd) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  workers.Endpoints({"2"});
  EXPECT_EQ(a[0].held.instance->id(), "1");
  a.Release(0);
  EXPECT_THAT(workers.drained_ids, IsEmpty()) << "nobody waits to hear of it";
}

TEST(DispatcherTest, AFailedInstanceIsLeftAloneUntilItIsRestored) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  workers[0].MarkFailed(a[0].held, Error{Code::kUnavailable, "connection refused"});
  workers[0].MarkFailed(a[0].held, Error{Code::kUnavailable, "connection refused"});
  EXPECT_THAT(workers.ejected, ElementsAre("1x1")) << "told once";
  a.Release(0);
  EXPECT_EQ(a.Ask(), Admission::kWaiting);
  EXPECT_EQ(workers.demands, 0) << "there is an instance";
  workers.state.FindInstance("ns/rev", "1")->Restore();
  workers[0].Wake(workers.revision(), workers.now);
  workers.Settle();
  EXPECT_EQ(a[1].settled, 1);
  workers[0].MarkFailed(a[1].held, Error{Code::kUnavailable, "connection refused"});
  EXPECT_THAT(workers.ejected, ElementsAre("1x1", "1x3"));
}

TEST(DispatcherTest, AResponseEndsTheRowOfFailures) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  workers[0].MarkFailed(a[0].held, Error{});
  workers.state.FindInstance("ns/rev", "1")->Restore();
  workers[0].OnFirstByte(a[0].held, FromUnixNanos(1));
  workers[0].MarkFailed(a[0].held, Error{});
  EXPECT_THAT(workers.ejected, ElementsAre("1x1", "1x1"));
}

TEST(DispatcherTest, UnansweredRequestsInARowAreTheInstancesFault) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1", "2"});
  Slots a(workers, 0);
  a.Ask();
  const Error silent{Code::kDeadlineExceeded, "no response began"};
  for (uint32_t i = 1; i < kUnansweredMax; ++i) workers[0].MarkUnanswered(a[0].held, silent);
  workers[0].OnFirstByte(a[0].held, FromUnixNanos(1));
  for (uint32_t i = 1; i < kUnansweredMax; ++i) workers[0].MarkUnanswered(a[0].held, silent);
  EXPECT_THAT(workers.ejected, IsEmpty()) << "a response came between";
  workers[0].MarkUnanswered(a[0].held, silent);
  EXPECT_THAT(workers.ejected, ElementsAre("1x3"));
  workers.state.FindInstance("ns/rev", "1")->Restore();
  workers[0].MarkUnanswered(a[0].held, silent);
  EXPECT_THAT(workers.ejected, ElementsAre("1x3", "1x4")) << "not yet recovered";
  EXPECT_EQ(workers.revision().ReadTraffic().ejections, 2u);
  a.Ask();
  for (uint32_t i = 0; i < kUnansweredMax; ++i) workers[0].MarkUnanswered(a[1].held, silent);
  EXPECT_EQ(workers.ejected.size(), 2u) << "2 is the last";
}

TEST(DispatcherTest, ARevisionThatCannotServeAnswersHeldRequestsAtOnce) {
  TestWorkers workers(1);
  workers.Declare(1);
  Slots a(workers, 0);
  a.Ask();
  RevisionSettings failed;
  failed.key = "ns/rev";
  failed.container_concurrency = 1;
  failed.failure = RevisionFailure{"ErrImagePull", "not found"};
  workers.Apply({.revisions = {failed}});
  workers.Settle();
  EXPECT_EQ(a[0].settled, 1);
  EXPECT_FALSE(a[0].held);
  EXPECT_EQ(a[0].refusal()->code, Code::kUnavailable);
  EXPECT_EQ(a[0].refusal()->message, "revision ns/rev cannot serve: ErrImagePull: not found");

  workers.revision().demand_pending = false;
  EXPECT_EQ(a.Ask(), Admission::kRefused);
  EXPECT_EQ(workers.demands, 2) << "it may have been mended: try";
  EXPECT_EQ(workers.revision().queued.load(), 0u);
}

TEST(DispatcherTest, ARemovedRevisionRefusesWhoWaitsAndLetsWhoRunsFinish) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  a.Ask();
  const std::weak_ptr<Revision> watched = workers.revision().weak_from_this();
  workers.Apply({.removed_routes = {"ns/rev"}, .removed_revisions = {"ns/rev"}});
  workers.Settle();
  EXPECT_EQ(a[1].refusal()->code, Code::kUnavailable);
  EXPECT_FALSE(watched.expired());
  a.Release(0);
  workers[0].ForgetRemoved();
  EXPECT_TRUE(watched.expired());
}

// Of this thread alone: other work of the machine does not count.
Nanos CpuTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return Seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

// It is looked for at each update until its last request has ended: not among all others.
TEST(DispatcherTest, ARemovedRevisionWithARequestCostsUpdatesNothingHoweverManyOthersThereAre) {
  const auto time_for = [](int others) {
    TestWorkers workers(1);
    workers.Declare(1);
    workers.Endpoints({"1"});
    Slots running(workers, 0);
    running.Ask();
    RoutingUpdate update;
    for (int i = 0; i < others; ++i) update.revisions.emplace_back().key = "ns/other-" + std::to_string(i);
    workers.Apply(update);
    for (const RevisionSettings& settings : update.revisions)
      EXPECT_NE(workers[0].Settings(*workers.state.FindRevision(settings.key)), nullptr);
    workers.Apply({.removed_routes = {"ns/rev"}, .removed_revisions = {"ns/rev"}});
    const Nanos start = CpuTime();
    for (int i = 0; i < 10'000; ++i) workers[0].ForgetRemoved();
    return CpuTime() - start;
  };
  EXPECT_LT(time_for(2'000), 40 * time_for(2));
}

TEST(DispatcherTest, ARouteToARevisionThatIsNotKnownIsRefused) {
  TestWorkers workers(1);
  workers.Apply({.routes = {{.key = "ns/rev", .hosts = {{.host = "rev", .splits = {{"ns/rev", 100}}}}}}});
  Slots a(workers, 0);
  EXPECT_EQ(a.Ask(), Admission::kRefused);
  EXPECT_EQ(a[0].refusal()->message, "revision ns/rev is not available");
  EXPECT_EQ(workers[0].Settings(workers.revision()), nullptr);
  workers.Declare(1);
  EXPECT_EQ(a.Ask(), Admission::kWaiting);
}

}  // namespace
}  // namespace updraft::activator
