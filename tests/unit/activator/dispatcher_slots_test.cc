// Who gets a slot, and in which order.
#include <gtest/gtest.h>

#include "tests/unit/activator/workers.h"

namespace updraft::activator {
namespace {

TEST(DispatcherTest, AFreeSlotIsGrantedAtOnce) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  EXPECT_EQ(a.Ask(), Admission::kGranted);
  EXPECT_EQ(a[0].held.instance->host_port(), "10.0.0.1:8080");
  EXPECT_EQ(a[0].settled, 0);
  EXPECT_EQ(workers.demands, 0);
}

TEST(DispatcherTest, NoInstanceExceedsItsConcurrencyAndReleasesServeFirstComeFirst) {
  TestWorkers workers(1);
  workers.Declare(2);
  workers.Endpoints({"1", "2"});
  Slots a(workers, 0);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(a.Ask(), Admission::kGranted);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(a.Ask(), Admission::kWaiting);
  EXPECT_EQ(a[0].held.instance->in_flight(), 2u);
  EXPECT_EQ(a[2].held.instance->in_flight(), 2u);
  EXPECT_EQ(workers.revision().queued.load(), 3u);

  Instance* const freed = a[1].held.instance;
  a.Release(1);
  EXPECT_EQ(a.SettledCount(), 0) << "outcomes are told at the end of the turn";
  workers.Settle();
  EXPECT_EQ(a[4].settled, 1);
  EXPECT_EQ(a[4].held.instance, freed);
  EXPECT_EQ(a[5].settled, 0);
  EXPECT_EQ(freed->in_flight(), 2u);
}

TEST(DispatcherTest, ANewcomerDoesNotOvertakeThoseWhoWait) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  a.Ask();
  a.Release(0);  // the slot is the second one's already
  EXPECT_EQ(a.Ask(), Admission::kWaiting);
  workers.Settle();
  EXPECT_EQ(a[1].settled, 1);
  EXPECT_EQ(a[2].settled, 0);
}

TEST(DispatcherTest, ABurstAtZeroRaisesOneDemandAndIsReleasedAtEachInstancesConcurrency) {
  TestWorkers workers(1);
  workers.Declare(10);
  Slots a(workers, 0);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(a.Ask(), Admission::kWaiting);
  EXPECT_EQ(workers.demands, 1);
  EXPECT_EQ(workers.revision().queued.load(), 200u);

  workers.Endpoints({"1"});
  workers.Settle();
  EXPECT_EQ(a.SettledCount(), 10);
  workers.Endpoints({"1", "2", "3"});
  workers.Settle();
  EXPECT_EQ(a.SettledCount(), 30);
  EXPECT_EQ(workers.revision().queued.load(), 170u);
}

TEST(DispatcherTest, WithoutALimitAllWhoWaitAreReleased) {
  TestWorkers workers(1);
  workers.Declare(0);
  Slots a(workers, 0);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(a.Ask(), Admission::kWaiting);
  workers.Endpoints({"1"});
  workers.Settle();
  EXPECT_EQ(a.SettledCount(), 50);
  EXPECT_EQ(a[0].held.instance->in_flight(), 50u);
}

TEST(DispatcherTest, AFullQueueRefuses) {
  TestWorkers workers(2, {.queue_length_max = 3});
  workers.Declare(1);
  Slots a(workers, 0);
  Slots b(workers, 1);
  a.Ask();
  a.Ask();
  b.Ask();
  EXPECT_EQ(b.Ask(), Admission::kRefused) << "the bound is for all workers together";
  EXPECT_EQ(b[1].refusal()->code, Code::kResourceExhausted);
  EXPECT_EQ(b[1].refusal()->message, "pending request queue full");
  workers[0].Cancel(a[0], workers.now);
  EXPECT_EQ(b.Ask(), Admission::kWaiting);
}

TEST(DispatcherTest, ARetryKeepsItsPlaceAndIsNotRefused) {
  TestWorkers workers(1, {.queue_length_max = 1});
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  EXPECT_EQ(a.Ask(), Admission::kWaiting);
  EXPECT_EQ(a.Ask(), Admission::kRefused);
  // The first finds its instance gone.
  workers[0].MarkFailed(a[0].held, Error{Code::kUnavailable, "connection refused"});
  a.Release(0);
  EXPECT_EQ(workers[0].Acquire(workers.revision(), a[0], workers.now, Dispatcher::Attempt::kRetry), Admission::kWaiting);
  workers.Endpoints({"2"});
  workers.Settle();
  EXPECT_EQ(a[0].settled, 1) << "it came first";
  EXPECT_EQ(a[1].settled, 0);
}

}  // namespace
}  // namespace updraft::activator
