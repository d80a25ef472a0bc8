// Several threads, one loop each, fight for the slots of two instances.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <list>
#include <memory>
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
  void OnDemand(std::shared_ptr<Revision>, WallTime) override { ++counts.demands; }
  void OnDrained(const Instance*) override { ++counts.drained; }
  void OnEjected(std::shared_ptr<Revision>, std::string, uint32_t, Error) override {}
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

void Fight(uint32_t limit, int clients_per_worker, int times) {
  constexpr uint32_t kWorkers = 4;
  Counts counts;
  Events events(counts);
  std::vector<std::unique_ptr<LoopThread>> threads;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<Worker*> all;
  for (uint32_t i = 0; i < kWorkers; ++i) {
    threads.push_back(std::make_unique<LoopThread>("worker"));
    workers.push_back(std::make_unique<Worker>(i, threads[i]->loop(), RealClock(), DispatcherLimits{}, events));
    all.push_back(workers.back().get());
  }
  for (Worker* worker : all) worker->Meet(all);

  RoutingState state(kWorkers);
  const auto publish = [&](const RoutingUpdate& update) {
    const auto publication = std::make_shared<const Publication>(state.Apply(update, {}));
    std::latch taken(kWorkers);
    for (Worker* worker : all) worker->Publish(publication, [&taken] { taken.count_down(); });
    taken.wait();
  };
  RevisionSettings settings;
  settings.key = "ns/rev";
  settings.container_concurrency = limit;
  publish({.revisions = {settings},
           .routes = {{.key = "ns/rev", .hosts = {{.host = "rev", .splits = {{"ns/rev", 100}}}}}}});

  std::latch finished(static_cast<std::ptrdiff_t>(kWorkers) * clients_per_worker);
  std::list<Client> clients;
  for (Worker* worker : all) {
    for (int i = 0; i < clients_per_worker; ++i) {
      Client& client = clients.emplace_back(*worker, counts, times, finished);
      worker->loop().Post([&client] { client.Ask(); });
    }
  }
  // From zero, then one instance, then two, then the first drains while all go on.
  const auto endpoint = [](const std::string& id, bool draining) {
    return EndpointUpdate{.address = {.id = id, .ip = "10.0.0." + id, .port = 80}, .draining = draining};
  };
  const auto endpoints = [](std::vector<EndpointUpdate> list) {
    return RoutingUpdate{.endpoints = {{.revision = "ns/rev", .known = true, .endpoints = std::move(list)}}};
  };
  publish(endpoints({endpoint("1", false)}));
  publish(endpoints({endpoint("1", false), endpoint("2", false)}));
  publish(endpoints({endpoint("1", true), endpoint("2", false)}));
  finished.wait();  // the test's own time limit catches a stall

  EXPECT_LE(counts.most_inside.load(), static_cast<int>(limit));
  EXPECT_GT(counts.done.load(), 0);
  EXPECT_EQ(counts.inside[0].load() + counts.inside[1].load(), 0);
  EXPECT_LE(counts.drained.load(), 1);
  const Instance* drained = state.FindInstance("ns/rev", "1");
  EXPECT_EQ(drained->in_flight(), 0u);
  // Whoever came first, the end of the drain was noticed exactly once: by a release, or at the update.
  for (auto& thread : threads) thread->Stop();
  const LoadReading load = [&] {
    return state.Apply({.revisions = {settings}}, {}).table->Find("rev")->Choose()->ReadLoad(RealClock());
  }();
  EXPECT_EQ(load.running, 0u);
  EXPECT_EQ(load.waiting, 0u);
  EXPECT_EQ(load.arrivals, uint64_t{kWorkers} * static_cast<uint64_t>(clients_per_worker * times));
  workers.clear();
}

TEST(DispatcherThreadsTest, LimitOneIsNeverExceededAndNobodyStalls) { Fight(1, 8, 2'000); }
TEST(DispatcherThreadsTest, NorIsLimitFive) { Fight(5, 16, 1'000); }

}  // namespace
}  // namespace updraft::activator
