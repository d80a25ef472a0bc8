// The slots of an instance among the workers of one activator, and among activators.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <list>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/activator/workers.h"

namespace updraft::activator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DispatcherTest, AReleaseWakesAWorkerWhoseRequestsWait) {
  TestWorkers workers(2);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  Slots b(workers, 1);
  a.Ask();
  EXPECT_EQ(b.Ask(), Admission::kWaiting);
  a.Release(0);
  EXPECT_EQ(workers.wakes, 1);
  workers.Settle();
  EXPECT_EQ(b[0].settled, 1);
  EXPECT_EQ(workers.revision().waiting_workers.load(), 0u);
}

TEST(DispatcherTest, ABusyWorkerSharesEveryEighthSlot) {
  TestWorkers workers(2);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  Slots b(workers, 1);
  for (int i = 0; i < 20; ++i) a.Ask();
  b.Ask();
  for (size_t i = 0; i < 7; ++i) {
    a.Release(i);
    workers.Settle();
    EXPECT_EQ(b[0].settled, 0) << i;
  }
  a.Release(7);
  workers.Settle();
  EXPECT_EQ(b[0].settled, 1);
  EXPECT_EQ(a[8].settled, 0);
  workers[1].Release(b[0].held, workers.now);
  workers.Settle();
  EXPECT_EQ(a[8].settled, 1);
}

TEST(DispatcherTest, AWakeThatFindsNobodyLeftIsPassedOn) {
  TestWorkers workers(3);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  Slots b(workers, 1);
  Slots c(workers, 2);
  a.Ask();
  b.Ask();
  c.Ask();
  a.Release(0);  // tells b
  workers[1].Cancel(b[0], workers.now);
  workers.Settle();
  EXPECT_EQ(c[0].settled, 1);
}

// One slot, and four workers that all want it again and again. 1: all have the same part; 1/4: one has everything.
TEST(DispatcherTest, WorkersHaveEqualPartsOfWhatAllOfThemWant) {
  constexpr size_t kWorkers = 4;
  constexpr int kTurns = 20'000;
  TestWorkers workers(kWorkers);
  workers.Declare(1);
  workers.Endpoints({"1"});
  struct Asker {
    Asker(size_t of, Asker** inside) : worker(of), request([this, inside](Request&) { *inside = this; }) {}
    size_t worker;
    Request request;
  };
  Asker* inside = nullptr;
  std::list<Asker> askers;
  const auto ask = [&](Asker& asker) {
    const Admission admission = workers[asker.worker].Acquire(workers.revision(), asker.request, workers.now);
    if (admission == Admission::kWaiting) return;
    ASSERT_EQ(admission, Admission::kGranted);
    asker.request.held = asker.request.slot();
    inside = &asker;
  };
  for (size_t i = 0; i < 8 * kWorkers; ++i) ask(askers.emplace_back(i % kWorkers, &inside));
  std::array<double, kWorkers> served{};
  for (int turn = 0; turn < kTurns; ++turn) {
    ASSERT_NE(inside, nullptr);
    Asker& asker = *std::exchange(inside, nullptr);
    ++served[asker.worker];
    workers[asker.worker].Release(asker.request.held, workers.now);
    ask(asker);
    workers.Settle();
  }
  const double sum = std::accumulate(served.begin(), served.end(), 0.0);
  const double squares = std::inner_product(served.begin(), served.end(), served.begin(), 0.0);
  EXPECT_GT(sum * sum / (kWorkers * squares), 0.95);
  for (Asker& asker : askers) workers[asker.worker].Cancel(asker.request, workers.now);
  workers[inside->worker].Release(inside->request.held, workers.now);
}

TEST(DispatcherTest, SeveralReleasesWakeAWorkerOnce) {
  TestWorkers workers(2);
  workers.Declare(4);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  Slots b(workers, 1);
  for (int i = 0; i < 4; ++i) a.Ask();
  for (int i = 0; i < 4; ++i) b.Ask();
  for (size_t i = 0; i < 4; ++i) a.Release(i);
  EXPECT_EQ(workers.wakes, 1);
  workers.Settle();
  EXPECT_EQ(b.SettledCount(), 4);
}

RoutingUpdate SharedSlotsOf(std::optional<uint32_t> share, std::vector<std::pair<std::string, uint32_t>> granted = {}) {
  return {.sharing = SharingUpdate{.epoch = 1, .revisions = {{.revision = "ns/rev", .share = share, .granted = std::move(granted)}}}};
}

TEST(DispatcherTest, ASlotThatIsToBeGivenBackIsNotPassedOn) {
  TestWorkers workers(1);
  workers.Declare(2);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  for (int i = 0; i < 3; ++i) a.Ask();
  workers.Apply(SharedSlotsOf(1));
  EXPECT_THAT(workers.slot_news, IsEmpty());
  a.Release(0);
  EXPECT_THAT(workers.slot_news, ElementsAre("ns/rev"));
  EXPECT_EQ(a.SettledCount(), 0);
  workers.Settle();
  EXPECT_EQ(a[2].settled, 0) << "the one that is left is in use";
  a.Release(1);
  workers.Settle();
  EXPECT_EQ(a[2].settled, 1) << "it is as far down as it is to come";
}

TEST(DispatcherTest, WhoWaitsForSlotsThatOthersHaveSaysSoOnce) {
  TestWorkers workers(2);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  a.Ask();
  EXPECT_THAT(workers.slot_news, IsEmpty()) << "there are no others";
  workers.Apply(SharedSlotsOf(std::nullopt));
  Slots b(workers, 1);
  b.Ask();
  b.Ask();
  EXPECT_THAT(workers.slot_news, ElementsAre("ns/rev"));
  EXPECT_EQ(workers.revision().slot_demand.load(), Revision::SlotDemand::kTold);
  workers.revision().slot_news.store(false);
  a.Ask();
  EXPECT_EQ(workers.slot_news.size(), 1u) << "until it is taken in hand";
}

}  // namespace
}  // namespace updraft::activator
