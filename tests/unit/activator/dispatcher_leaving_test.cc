// Requests that leave while they wait, once they were granted a slot, or from inside: no slot is lost with them.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <memory>
#include <random>
#include <utility>

#include "tests/unit/activator/workers.h"

namespace updraft::activator {
namespace {

TEST(DispatcherTest, ACancelledWaitIsOverAndTheNextInLineGetsTheSlot) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  a.Ask();
  a.Ask();
  workers[0].Cancel(a[1], workers.now);
  a.Release(0);
  workers.Settle();
  EXPECT_EQ(a[1].settled, 0);
  EXPECT_EQ(a[2].settled, 1);
}

TEST(DispatcherTest, ASlotGrantedButNotYetToldGoesOnWhenItsRequestIsCancelled) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  a.Ask();
  a.Ask();
  a.Release(0);                             // granted to the second, told at the turn's end
  workers[0].Cancel(a[1], workers.now);  // whose client leaves first
  workers.Settle();
  EXPECT_EQ(a[1].settled, 0);
  EXPECT_EQ(a[2].settled, 1);
  EXPECT_EQ(a[2].held.instance->in_flight(), 1u);
}

TEST(DispatcherTest, AThousandRequestsThatFailAtOnceDoNotNest) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  int depth = 0;
  int deepest = 0;
  for (int i = 0; i < 1000; ++i) {
    a.Ask([&](Request& request) {
      deepest = std::max(deepest, ++depth);
      workers[0].Release(request.held, workers.now);
      --depth;
    });
  }
  a.Release(0);
  workers.Settle();
  EXPECT_EQ(a.SettledCount(), 1000);
  EXPECT_EQ(deepest, 1);
}

// A hundred thousand times one comes, leaves wherever it is, or hears what became of it: waiting, granted and not yet told,
// inside. No slot is lost, none is given twice, and none is free while somebody waits.
TEST(DispatcherTest, RequestsThatLeaveAtAnyMomentLoseNoSlot) {
  constexpr size_t kWorkers = 3;
  constexpr uint32_t kLimit = 2;
  TestWorkers workers(kWorkers);
  workers.Declare(kLimit);
  workers.Endpoints({"1", "2"});
  struct Guest {
    size_t worker;
    Request request;
  };
  std::list<std::unique_ptr<Guest>> guests;
  std::minstd_rand random(1);
  const auto leave = [&](size_t which) {
    const auto guest = std::next(guests.begin(), static_cast<std::ptrdiff_t>(which));
    Dispatcher& dispatcher = workers[(*guest)->worker];
    dispatcher.Cancel((*guest)->request, workers.now);
    if ((*guest)->request.held) dispatcher.Release((*guest)->request.held, workers.now);
    guests.erase(guest);
  };
  const auto in_flight = [&workers](const char* id) { return workers.state.FindInstance("ns/rev", id)->in_flight(); };
  for (int step = 0; step < 100'000; ++step) {
    const auto what = random() % 8;
    if (what < 3 && guests.size() < 16) {
      const size_t worker = random() % kWorkers;
      Guest& guest = *guests.emplace_back(std::make_unique<Guest>(worker));
      const Admission admission = workers[worker].Acquire(workers.revision(), guest.request, workers.now);
      ASSERT_NE(admission, Admission::kRefused);
      if (admission == Admission::kGranted) guest.request.held = guest.request.slot();
    } else if (what < 5 && !guests.empty()) {
      leave(random() % guests.size());
    } else if (!workers.later.empty()) {
      const auto work = std::move(workers.later.front());
      workers.later.pop_front();
      work();
    }
    ASSERT_LE(in_flight("1"), kLimit) << step;
    ASSERT_LE(in_flight("2"), kLimit) << step;
    if (step % 20 != 0) continue;
    workers.Settle();
    const auto inside = static_cast<size_t>(
        std::ranges::count_if(guests, [](const auto& guest) { return static_cast<bool>(guest->request.held); }));
    ASSERT_EQ(in_flight("1") + in_flight("2"), inside) << step;
    ASSERT_EQ(inside, std::min<size_t>(guests.size(), 2 * kLimit)) << step;
  }
  while (!guests.empty()) leave(0);
  workers.Settle();
  EXPECT_EQ(in_flight("1") + in_flight("2"), 0u);
  EXPECT_EQ(workers.revision().queued.load(), 0u);
}

}  // namespace
}  // namespace updraft::activator
