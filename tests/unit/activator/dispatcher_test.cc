#include "activator/queue/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <list>
#include <memory>
#include <numeric>
#include <random>
#include <utility>

#include "tests/unit/activator/workers.h"

namespace updraft::activator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Of this thread alone: other work of the machine does not count.
Nanos CpuTime() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return Seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

// Takes slots until the revision is full; gives them back when it goes.
struct Slots {
  Slots(TestWorkers& of, size_t on) : workers(of), worker(on) {}
  ~Slots() {
    for (Request& request : requests) {
      workers[worker].Cancel(request, workers.now);
      if (request.held) workers[worker].Release(request.held, workers.now);
    }
  }
  Admission Ask(std::function<void(Request&)> then = nullptr) {
    Request& request = requests.emplace_back(std::move(then));
    const Admission admission = workers[worker].Acquire(workers.revision(), request, workers.now);
    if (admission == Admission::kGranted) request.held = request.slot();
    return admission;
  }
  Request& operator[](size_t index) { return *std::next(requests.begin(), static_cast<std::ptrdiff_t>(index)); }
  void Release(size_t index) { workers[worker].Release((*this)[index].held, workers.now); }
  int SettledCount() const {
    int count = 0;
    for (const Request& request : requests) count += request.settled;
    return count;
  }
  TestWorkers& workers;
  const size_t worker;
  std::list<Request> requests;
};

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

TEST(DispatcherTest, TheRequestThatWaitedForAColdStartCompletesIt) {
  TestWorkers workers(1);
  workers.Declare(1);
  Slots a(workers, 0);
  a.Ask();
  a.Ask();
  workers.wall_ns = 900;
  workers.Endpoints({"1"}, {}, {.queued_ns = 100, .decided_ns = 200});
  workers.Settle();
  ASSERT_TRUE(a[0].held);
  EXPECT_TRUE(a[0].held.cold);
  const ColdStartTimes want{.queued_ns = 100, .decided_ns = 200, .routed_ns = 900, .first_byte_ns = 1000};
  EXPECT_EQ(workers[0].OnFirstByte(a[0].held, FromUnixNanos(1000)), want);
  EXPECT_THAT(workers.cold_starts, ElementsAre(want));

  a.Release(0);
  workers.Settle();
  EXPECT_TRUE(a[1].held.cold);
  EXPECT_EQ(workers[0].OnFirstByte(a[1].held, FromUnixNanos(1100)).first_byte_ns, 1100);
  EXPECT_EQ(workers.cold_starts.size(), 1u) << "an instance starts once";
  EXPECT_EQ(a.Ask(), Admission::kWaiting);
  a.Release(1);
  workers.Settle();
  EXPECT_FALSE(a[2].held.cold) << "it waited for a slot, not for a start";
  EXPECT_EQ(workers[0].OnFirstByte(a[2].held, FromUnixNanos(1200)), ColdStartTimes{});
}

TEST(DispatcherTest, TheLoadIsTheExactIntegralOfHeldAndRunningRequests) {
  TestWorkers workers(2);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  Slots b(workers, 1);
  FakeClock clock;
  workers.now = clock.Now();
  a.Ask();
  clock.Advance(Millis(500));
  workers.now = clock.Now();
  b.Ask();  // waits
  clock.Advance(Millis(250));
  workers.now = clock.Now();
  LoadReading load = workers.revision().ReadLoad(clock);
  EXPECT_EQ(load.request_time, (RequestTime{1, 0}));  // 0.75 of the first, 0.25 of the second
  EXPECT_EQ(load.arrivals, 2u);
  EXPECT_EQ(load.running, 1u);
  EXPECT_EQ(load.waiting, 1u);

  a.Release(0);
  workers.Settle();
  clock.Advance(Millis(100));
  load = workers.revision().ReadLoad(clock);
  EXPECT_EQ(load.request_time, (RequestTime{1, 100'000'000}));
  EXPECT_EQ(load.running, 1u);
  EXPECT_EQ(load.waiting, 0u);
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

// Between 2 and 10 requests by turns, on two workers, with a limit that makes some of them wait and
// each of them sent twice: every window shows the mean of its time, whoever reads when.
TEST(DispatcherTest, TheLoadOfASquareWaveIsExactInEveryWindow) {
  TestWorkers workers(2);
  workers.Declare(3);
  workers.Endpoints({"1", "2"});
  FakeClock clock;
  workers.now = clock.Now();
  const auto seconds = [&] { return workers.revision().ReadLoad(clock).request_time.ToSeconds(); };
  const auto advance = [&](Nanos by) {
    clock.Advance(by);
    workers.now = clock.Now();
  };
  Slots base(workers, 0);
  base.Ask();
  base.Ask();
  double last = 0;
  for (int period = 0; period < 20; ++period) {
    {
      Slots more_a(workers, 0);
      Slots more_b(workers, 1);
      for (int i = 0; i < 4; ++i) {
        more_a.Ask();
        more_b.Ask();
      }
      workers.Settle();
      const LoadReading load = workers.revision().ReadLoad(clock);
      EXPECT_EQ(load.running, 6u);
      EXPECT_EQ(load.waiting, 4u);
      for (int i = 0; i < 7; ++i) {
        advance(Millis(50));
        seconds();  // reading changes nothing
      }
      // Sent again: the same requests, held or running all the time.
      Request& again = more_b[0];
      workers[1].Release(again.held, workers.now);
      const Admission admission =
          workers[1].Acquire(workers.revision(), again, workers.now, Dispatcher::Attempt::kRetry);
      if (admission == Admission::kGranted) again.held = again.slot();
      workers.Settle();
      advance(Millis(150));
    }
    workers.Settle();
    advance(Millis(500));
    const double now = seconds();
    EXPECT_NEAR(now - last, 10 * 0.5 + 2 * 0.5, 1e-9) << period;
    last = now;
  }
  EXPECT_EQ(workers.revision().ReadLoad(clock).arrivals, 2u + 20 * 8);
}

// A minute of ten, on two workers, of which one after the other is followed by the next, some of them held for a moment.
TEST(DispatcherTest, TheLoadOfTenRequestsIsTenInEveryWindow) {
  TestWorkers workers(2);
  workers.Declare(5);
  workers.Endpoints({"1", "2"});
  FakeClock clock;
  workers.now = clock.Now();
  const auto seconds = [&] { return workers.revision().ReadLoad(clock).request_time.ToSeconds(); };
  Slots a(workers, 0);
  Slots b(workers, 1);
  for (int i = 0; i < 5; ++i) {
    a.Ask();
    b.Ask();
  }
  double last = seconds();
  for (size_t window = 0; window < 60; ++window) {
    clock.Advance(Millis(300 + static_cast<int64_t>(window)));
    workers.now = clock.Now();
    a.Release(window);
    a.Ask();
    workers.Settle();
    clock.Advance(Millis(700 - static_cast<int64_t>(window)));
    workers.now = clock.Now();
    const double now = seconds();
    EXPECT_NEAR(now - last, 10, 1e-9) << window;
    last = now;
  }
}

TEST(DispatcherTest, ARetryIsNoFurtherArrival) {
  TestWorkers workers(1);
  workers.Declare(1);
  workers.Endpoints({"1"});
  Slots a(workers, 0);
  a.Ask();
  a.Release(0);
  workers[0].Acquire(workers.revision(), a[0], workers.now, Dispatcher::Attempt::kRetry);
  a[0].held = a[0].slot();
  EXPECT_EQ(workers.revision().ReadLoad(FakeClock()).arrivals, 1u);
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
