// Several threads, one loop each, fight for the slots of two instances.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "activator/worker.h"
#include "core/base/loop.h"

namespace updraft::activator {
namespace {

struct Counts {
  std::atomic<int> inside[2] = {};
  std::atomic<int> most_inside{0};
  std::atomic<int> done{0};
  std::atomic<int> drained{0};
  std::atomic<int> demands{0};
};

struct Events : WorkerEvents {
  explicit Events(Counts& of) : counts(of) {}
  void OnMet(std::shared_ptr<Revision>) override {}
  void OnDemand(std::shared_ptr<Revision>, WallTime) override { ++counts.demands; }
  void OnDrained(const Instance*) override { ++counts.drained; }
  void OnEjected(std::shared_ptr<Revision>, std::string, uint32_t, Error) override {}
  void OnSlotNews(std::shared_ptr<Revision>) override {}
  void OnColdStart(std::string, std::string, ColdStartTimes) override {}
  Counts& counts;
};

// One client: asks, holds the slot for a turn of the loop, gives it back; so many times. Every
// seventh time it changes its mind while it waits.
class Client : Waiter {
 public:
  Client(Worker& worker, Counts& counts, int times, std::latch& finished)
      : worker_(worker), counts_(counts), left_(times), finished_(finished) {}

  void Ask() {
    if (left_ == 0) {
      finished_.count_down();
      return;
    }
    Revision& revision = *worker_.routes().Find("rev")->Choose();
    const Admission admission = worker_.dispatcher().Acquire(revision, *this, worker_.loop().Now());
    if (admission == Admission::kGranted) return Hold();
    ASSERT_EQ(admission, Admission::kWaiting);
    if (left_ % 7 != 0) return;
    worker_.dispatcher().Cancel(*this, worker_.loop().Now());
    --left_;
    worker_.loop().Post([this] { Ask(); });
  }

 private:
  void OnSettled() override {
    ASSERT_TRUE(slot());
    Hold();
  }
  void Hold() {
    held_ = slot();
    std::atomic<int>& inside = counts_.inside[held_.instance->id() == "1" ? 0 : 1];
    const int now_inside = inside.fetch_add(1) + 1;
    int most = counts_.most_inside.load();
    while (most < now_inside && !counts_.most_inside.compare_exchange_weak(most, now_inside)) {
    }
    worker_.loop().Post([this, &inside] {
      inside.fetch_sub(1);
      --left_;
      ++counts_.done;
      worker_.dispatcher().Release(held_, worker_.loop().Now());
      Ask();
    });
  }

  Worker& worker_;
  Counts& counts_;
  int left_;
  std::latch& finished_;
  Slot held_;
};

// Workers with a loop each, and the revision "ns/rev" behind the host "rev".
class Workers {
 public:
  static constexpr uint32_t kCount = 4;

  Workers(uint32_t limit, WorkerEvents& events, uint32_t count = kCount) : state(count) {
    for (uint32_t i = 0; i < count; ++i) {
      threads_.push_back(std::make_unique<LoopThread>("worker"));
      workers_.push_back(std::make_unique<Worker>(i, threads_[i]->loop(), RealClock(), DispatcherLimits{}, events));
      all.push_back(workers_.back().get());
    }
    for (Worker* worker : all) worker->Meet(all);
    settings_.key = "ns/rev";
    settings_.container_concurrency = limit;
    RoutingUpdate update;
    update.revisions = {settings_};
    update.routes = {{.key = "ns/rev", .hosts = {{.host = "rev", .splits = {{"ns/rev", 100}}}}}};
    Publish(update);
  }

  // Returns when every worker has taken it.
  void Publish(const RoutingUpdate& update) {
    const auto publication = std::make_shared<const Publication>(state.Apply(update, {}));
    std::latch taken(static_cast<std::ptrdiff_t>(all.size()));
    for (Worker* worker : all) worker->Publish(publication, [&taken] { taken.count_down(); });
    taken.wait();
  }
  void Endpoints(std::vector<std::string> ids, std::vector<std::string> draining = {}) {
    EndpointsUpdate endpoints{.revision = "ns/rev", .known = true};
    const auto add = [&](const std::string& id, bool drains) {
      endpoints.endpoints.push_back({.address = {.id = id, .ip = "10.0.0." + id, .port = 80}, .draining = drains});
    };
    for (const std::string& id : ids) add(id, false);
    for (const std::string& id : draining) add(id, true);
    Publish({.endpoints = {endpoints}});
  }
  void Stop() {
    for (auto& thread : threads_) thread->Stop();
  }
  Revision& revision() { return *all[0]->routes().Find("rev")->Choose(); }

  RoutingState state;
  std::vector<Worker*> all;

 private:
  RevisionSettings settings_;
  std::vector<std::unique_ptr<LoopThread>> threads_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

void Fight(uint32_t limit, int clients_per_worker, int times, uint32_t count = Workers::kCount) {
  Counts counts;
  Events events(counts);
  Workers workers(limit, events, count);
  std::latch finished(static_cast<std::ptrdiff_t>(count) * clients_per_worker);
  std::list<Client> clients;
  for (Worker* worker : workers.all) {
    for (int i = 0; i < clients_per_worker; ++i) {
      Client& client = clients.emplace_back(*worker, counts, times, finished);
      worker->loop().Post([&client] { client.Ask(); });
    }
  }
  // From zero, then one instance, then two, then the first drains while all go on.
  workers.Endpoints({"1"});
  workers.Endpoints({"1", "2"});
  workers.Endpoints({"2"}, {"1"});
  finished.wait();  // the test's own time limit catches a stall
  workers.Stop();

  EXPECT_LE(counts.most_inside.load(), static_cast<int>(limit));
  EXPECT_GT(counts.done.load(), 0);
  EXPECT_LE(counts.drained.load(), 1) << "by a release, or at the update, but never twice";
  EXPECT_EQ(workers.state.FindInstance("ns/rev", "1")->in_flight(), 0u);
  const LoadReading load = workers.revision().ReadLoad(RealClock());
  EXPECT_EQ(load.running, 0u);
  EXPECT_EQ(load.waiting, 0u);
  EXPECT_EQ(load.arrivals, uint64_t{count} * static_cast<uint64_t>(clients_per_worker * times));
}

TEST(DispatcherThreadsTest, LimitOneIsNeverExceededAndNobodyStalls) { Fight(1, 8, 2'000); }
TEST(DispatcherThreadsTest, NorIsItInAMillionRequestsOverTwoToSixteenWorkers) {
  for (const int count : {2, 4, 8, 16}) Fight(1, 8, 250'000 / 8 / count, static_cast<uint32_t>(count));
}
TEST(DispatcherThreadsTest, NorIsLimitFive) { Fight(5, 16, 1'000); }

// What the control loop does while slots go to and fro: never more inside than it has, and what was given up
// and what is left are all there is.
TEST(InstanceThreadsTest, SlotsComeAndGoUnderThreadsAndTheLimitIsKept) {
  constexpr uint32_t kSlots = 5;
  constexpr int kThreads = 4;
  Instance instance({.id = "1"});
  instance.SetLimit(kSlots);
  std::atomic<uint32_t> granted{kSlots};  // never less than the limit, as the controller counts
  std::atomic<uint32_t> returned{0};
  std::atomic<int> inside{0};
  std::atomic<int> taken{0};
  std::atomic<bool> too_many{false};
  std::atomic<int> running{kThreads};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20'000; ++round) {
        if (!instance.TryTake()) {
          std::this_thread::yield();
          continue;
        }
        taken.fetch_add(1);
        // Looked at in this order: what is returned or granted between the looks only makes room.
        const uint32_t back = returned.load();
        const int now_inside = inside.fetch_add(1) + 1;
        if (now_inside > static_cast<int>(granted.load() - back)) too_many.store(true);
        inside.fetch_sub(1);
        if ((round + i) % 5 == 0) {
          // Before: what is returned may be granted again at once.
          instance.ReturnWithSlot();
          returned.fetch_add(1);
        } else {
          instance.Return();
        }
      }
      running.fetch_sub(1);
    });
  }
  while (running.load() > 0) {
    returned.fetch_add(instance.GiveUpIdle(2));
    const uint32_t lacks = kSlots - (granted.load() - returned.load());
    granted.fetch_add(lacks);
    instance.AddSlots(lacks);
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(too_many.load());
  EXPECT_GT(taken.load(), 0);
  EXPECT_EQ(instance.in_flight(), 0u);
  const uint32_t left = granted.load() - returned.load();
  EXPECT_EQ(instance.limit(), left);
  EXPECT_EQ(instance.GiveUpIdle(100), left);
  EXPECT_FALSE(instance.TryTake());
}

// Slots are taken away and granted again while four workers use them: what is inside never is more than
// there are, and all are served.
TEST(DispatcherThreadsTest, SlotsThatComeAndGoServeEverybody) {
  Counts counts;
  Events events(counts);
  Workers workers(5, events);
  workers.Endpoints({"1"});
  std::latch finished(static_cast<std::ptrdiff_t>(Workers::kCount) * 8);
  std::list<Client> clients;
  for (Worker* worker : workers.all) {
    for (int i = 0; i < 8; ++i) {
      Client& client = clients.emplace_back(*worker, counts, 500, finished);
      worker->loop().Post([&client] { client.Ask(); });
    }
  }
  uint32_t granted = 5;
  const auto share = [&](std::optional<uint32_t> to) {
    RoutingUpdate update;
    update.sharing = SharingUpdate{.epoch = 1, .revisions = {{.revision = "ns/rev", .share = to, .granted = {{"1", granted}}}}};
    const Publication publication = workers.state.Apply(update, {});
    for (const auto& revision : publication.more_slots) {
      for (Worker* worker : workers.all) worker->PostWake(revision);
    }
  };
  uint32_t returned = 0;
  share(std::nullopt);
  while (!finished.try_wait()) {
    share(1);
    // As OnSlotNews() would say.
    workers.state.LookForSlots("ns/rev");
    for (const auto& [id, count] : workers.state.TakeReturnedSlots()) returned = count;
    granted = 5 + returned;
    share(std::nullopt);
    std::this_thread::yield();
  }
  workers.Stop();
  EXPECT_LE(counts.most_inside.load(), 5);
  EXPECT_GT(returned, 0u);
  workers.state.LookForSlots("ns/rev");
  for (const auto& [id, count] : workers.state.TakeReturnedSlots()) returned = count;
  EXPECT_EQ(workers.state.FindInstance("ns/rev", "1")->limit(), granted - returned);
}

// Holds the slot of one worker, or asks for it on another; `Round` has both meet.
struct Contender : Waiter {
  Contender(Worker& on, std::atomic<int>& of) : worker(on), served(of) {}
  void OnSettled() override { Served(); }
  void Ask() {
    Revision& revision = *worker.routes().Find("rev")->Choose();
    if (worker.dispatcher().Acquire(revision, *this, worker.loop().Now()) == Admission::kGranted) Served();
  }
  void Served() {
    held = slot();
    served.fetch_add(1);
    served.notify_all();
  }
  void Release() { worker.dispatcher().Release(held, worker.loop().Now()); }
  Worker& worker;
  std::atomic<int>& served;
  Slot held;
};

TEST(DispatcherThreadsTest, ASlotFreedWhileARequestBeginsToWaitIsNotLost) {
  Counts counts;
  Events events(counts);
  Workers workers(1, events);
  workers.Endpoints({"1"});
  std::atomic<int> served{0};
  Contender contenders[2] = {{*workers.all[0], served}, {*workers.all[1], served}};
  contenders[0].worker.loop().Post([&] { contenders[0].Ask(); });
  served.wait(0);
  for (int round = 1; round <= 3'000; ++round) {
    Contender& holder = contenders[(round + 1) % 2];
    Contender& asker = contenders[round % 2];
    std::atomic<int> ready{0};
    std::atomic<int> released{0};
    const auto meet = [&ready] {
      ready.fetch_add(1);
      while (ready.load() < 2) std::this_thread::yield();
    };
    holder.worker.loop().Post([&] {
      meet();
      holder.Release();
      released.store(1);
      released.notify_all();
    });
    asker.worker.loop().Post([&] {
      meet();
      asker.Ask();
    });
    released.wait(0);
    served.wait(round);  // for ever, had the wake-up been lost
  }
  workers.Stop();
  contenders[0].Release();  // the last asker's
}

}  // namespace
}  // namespace updraft::activator
