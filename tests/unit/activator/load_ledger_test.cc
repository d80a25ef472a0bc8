#include "activator/feed/load_ledger.h"

#include <gtest/gtest.h>

#include "activator/queue/shard.h"

namespace updraft::activator {
namespace {

struct Fixture {
  Fixture() { ledger.Set(revision, false); }
  // As a worker does when a request begins or ends to wait.
  void StartWaiting() {
    shard.load.Arrived();
    shard.load.StartWaiting(clock.Now());
    revision->queued.fetch_add(1);
  }
  void StopWaiting() {
    revision->queued.fetch_sub(1);
    shard.load.StopWaiting(clock.Now());
  }
  FakeClock clock;
  LoadLedger ledger{clock};
  std::shared_ptr<Revision> revision = std::make_shared<Revision>("ns/a", 1);
  RevisionShard& shard = revision->MakeShard(0);
};

TEST(LoadLedgerTest, SaysOnlyWhatHasChanged) {
  Fixture f;
  EXPECT_TRUE(f.ledger.Changes().empty());
  f.shard.load.Arrived();
  f.shard.load.StartRunning(f.clock.Now());
  EXPECT_EQ(f.ledger.Changes().size(), 1u);
  f.clock.Advance(Seconds(1));
  const auto lines = f.ledger.Changes();
  ASSERT_EQ(lines.size(), 1u) << "what runs adds to the integral";
  EXPECT_EQ(lines[0].load.request_time, (RequestTime{1, 0}));
  EXPECT_EQ(lines[0].load.at, f.clock.Now());
  f.shard.load.StopRunning(f.clock.Now());
  EXPECT_EQ(f.ledger.Changes().size(), 1u) << "it has ended";
  f.clock.Advance(Seconds(1));
  EXPECT_TRUE(f.ledger.Changes().empty());
}

TEST(LoadLedgerTest, LooksAtWhatAWorkerHasMetAlone) {
  FakeClock clock;
  LoadLedger ledger(clock);
  const auto revision = std::make_shared<Revision>("ns/b", 1);
  const auto met = [&ledger] {
    size_t count = 0;
    ledger.ForEachMet([&count](const auto&, const Revision&) { ++count; });
    return count;
  };
  ledger.Set(revision, true);
  EXPECT_EQ(met(), 0u);
  revision->MakeShard(0).load.Arrived();
  ledger.OnMet(*revision);
  EXPECT_EQ(met(), 1u);
  EXPECT_EQ(ledger.Changes().size(), 1u);
  ledger.Remove("ns/b");
  EXPECT_EQ(met(), 0u);
  ledger.OnMet(*revision);
  EXPECT_EQ(met(), 0u) << "told late";
  ledger.Set(revision, true);
  EXPECT_EQ(ledger.Changes().size(), 1u) << "back, and no worker says once more that it met it";
  ledger.Set(std::make_shared<Revision>("ns/b", 1), true);
  EXPECT_EQ(met(), 0u) << "another one of that name";
}

TEST(LoadLedgerTest, ADemandIsSaidAtOnceAndAgainUntilThereAreInstances) {
  Fixture f;
  f.StartWaiting();
  f.revision->demand_pending = true;
  const auto line = f.ledger.Demand(*f.revision, FromUnixNanos(7));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->first_queued_ns, 7);
  EXPECT_EQ(line->load.waiting, 1u);
  f.StartWaiting();
  auto lines = f.ledger.Changes();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].first_queued_ns, 7) << "the first request's time";
  EXPECT_EQ(lines[0].load.waiting, 2u);
  EXPECT_EQ(f.ledger.Changes().size(), 1u) << "though nothing has changed";

  f.ledger.Set(f.revision, true);
  EXPECT_FALSE(f.revision->demand_pending);
  f.clock.Advance(Millis(1));
  lines = f.ledger.Changes();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].first_queued_ns, 0);
}

TEST(LoadLedgerTest, ADemandIsOverWhenNobodyWaitsAnyMore) {
  Fixture f;
  f.StartWaiting();
  f.revision->demand_pending = true;
  f.ledger.Demand(*f.revision, FromUnixNanos(7));
  f.StopWaiting();
  ASSERT_EQ(f.ledger.Changes().size(), 1u);
  EXPECT_FALSE(f.revision->demand_pending) << "the next request raises a new one at once";
  EXPECT_TRUE(f.ledger.Changes().empty());
  f.StartWaiting();
  EXPECT_EQ(f.ledger.Demand(*f.revision, FromUnixNanos(9))->first_queued_ns, 9);
}

TEST(LoadLedgerTest, ADemandThatComesLateIsDropped) {
  Fixture f;
  f.ledger.Set(f.revision, true);
  f.revision->demand_pending = true;
  EXPECT_FALSE(f.ledger.Demand(*f.revision, FromUnixNanos(7)));
  EXPECT_FALSE(f.revision->demand_pending);
}

TEST(LoadLedgerTest, ARequestThatWasRefusedStillAsksForAnInstance) {
  Fixture f;
  const auto line = f.ledger.Demand(*f.revision, FromUnixNanos(7));
  EXPECT_EQ(line->load.waiting, 1u);
  const auto lines = f.ledger.Changes();
  ASSERT_EQ(lines.size(), 1u) << "it waits no more";
  EXPECT_EQ(lines[0].load.waiting, 0u);
  EXPECT_TRUE(f.ledger.Changes().empty());
}

TEST(LoadLedgerTest, AnAutoscalerThatKnowsNothingIsToldEverythingThatEverHadLoad) {
  Fixture f;
  f.ledger.Set(std::make_shared<Revision>("ns/never-called", 1), false);
  f.shard.load.Arrived();
  f.ledger.Changes();
  const auto lines = f.ledger.All();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].revision, "ns/a");
  EXPECT_EQ(lines[0].load.arrivals, 1u);
}

TEST(LoadLedgerTest, ARemovedRevisionIsForgotten) {
  Fixture f;
  f.StartWaiting();
  f.ledger.Remove("ns/a");
  EXPECT_TRUE(f.ledger.Changes().empty());
  EXPECT_TRUE(f.ledger.All().empty());
  EXPECT_FALSE(f.ledger.Demand(*f.revision, FromUnixNanos(7)));
}

TEST(LoadLedgerTest, OfARevisionThatIsGoneItIsSaidOnceThatNothingWaits) {
  Fixture f;
  f.StartWaiting();
  ASSERT_EQ(f.ledger.Changes().size(), 1u);
  f.ledger.Remove("ns/a");
  const auto lines = f.ledger.Changes();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].revision, "ns/a");
  EXPECT_EQ(lines[0].load.waiting, 0u);
  EXPECT_EQ(lines[0].load.arrivals, 1u) << "if it comes back, its past is not new";
  EXPECT_TRUE(f.ledger.Changes().empty());
}

TEST(LoadLedgerTest, ForAnotherRevisionOfTheSameNameNothingWaits) {
  Fixture f;
  f.StartWaiting();
  f.ledger.Changes();
  f.ledger.Set(std::make_shared<Revision>("ns/a", 1), false);
  const auto lines = f.ledger.Changes();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].load.waiting, 0u);
  EXPECT_TRUE(f.ledger.Changes().empty());
}

TEST(LoadLedgerTest, WhatIsSaidOfTheNewOneIsTheLastWordOnTheOldOne) {
  Fixture f;
  f.StartWaiting();
  f.ledger.Changes();
  const auto next = std::make_shared<Revision>("ns/a", 1);
  next->MakeShard(0);
  f.ledger.Set(next, false);
  ASSERT_TRUE(f.ledger.Demand(*next, FromUnixNanos(8)));
  const auto lines = f.ledger.Changes();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].load.arrivals, 0u);
}

}  // namespace
}  // namespace updraft::activator
