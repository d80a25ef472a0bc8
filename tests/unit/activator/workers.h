// Several dispatchers on one thread: what they want done on other threads waits until Settle().
#pragma once

#include <deque>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "activator/queue/dispatcher.h"
#include "activator/routing/routing_state.h"

namespace updraft::activator {

// A request that remembers what became of it.
struct Request : Waiter {
  explicit Request(std::function<void(Request&)> on_settled = nullptr) : then(std::move(on_settled)) {}
  void OnSettled() override {
    ++settled;
    held = slot();
    if (then) then(*this);
  }
  std::function<void(Request&)> then;
  int settled = 0;
  Slot held;
};

class TestWorkers : private RevisionViews {
 public:
  explicit TestWorkers(uint32_t count, DispatcherLimits limits = {}) : state(count) {
    for (uint32_t i = 0; i < count; ++i) {
      parts.push_back(std::make_unique<Part>(*this, i, limits));
    }
  }

  Dispatcher& operator[](size_t worker) { return parts[worker]->dispatcher; }

  void Apply(const RoutingUpdate& update) {
    const Publication publication = state.Apply(update, FromUnixNanos(wall_ns));
    table = publication.table;
    drained_ids.insert(drained_ids.end(), publication.drained.begin(), publication.drained.end());
    for (const auto& change : publication.changes) {
      for (auto& part : parts) part->dispatcher.Update(*change.revision, change.view, now);
    }
    for (auto& part : parts) part->dispatcher.ForgetRemoved();
  }

  // Declares the revision "ns/rev" and the route that leads to it.
  void Declare(uint32_t container_concurrency) {
    RoutingUpdate update;
    RevisionSettings settings;
    settings.key = "ns/rev";
    settings.container_concurrency = container_concurrency;
    update.revisions = {settings};
    update.routes = {{.key = "ns/rev", .hosts = {{.host = "rev", .splits = {{"ns/rev", 100}}}}}};
    Apply(update);
  }

  void Endpoints(std::vector<std::string> ids, std::vector<std::string> draining = {}, ColdStartTimes cold = {}) {
    EndpointsUpdate endpoints{.revision = "ns/rev", .known = true};
    const auto add = [&](const std::string& id, bool drains) {
      endpoints.endpoints.push_back(
          {.address = {.id = id, .ip = "10.0.0." + id, .port = 8080, .cold_start = cold}, .draining = drains});
    };
    for (const std::string& id : ids) add(id, false);
    for (const std::string& id : draining) add(id, true);
    Apply({.endpoints = {endpoints}});
  }

  Revision& revision() { return *table->Find("rev")->Choose(); }

  // Runs what was put off, until nothing is left.
  void Settle() {
    while (!later.empty()) {
      const auto work = std::move(later.front());
      later.pop_front();
      work();
    }
  }

  RoutingState state;
  std::shared_ptr<const RouteTable> table = std::make_shared<RouteTable>();
  std::deque<std::function<void()>> later;
  TimePoint now = TimePoint(Seconds(1000));
  int64_t wall_ns = 5'000;
  int demands = 0;
  int wakes = 0;
  std::vector<std::string> drained_ids;
  std::vector<std::string> ejected;
  std::vector<std::string> slot_news;
  std::vector<ColdStartTimes> cold_starts;

 private:
  struct Part : DispatcherEvents {
    Part(TestWorkers& of, uint32_t index, DispatcherLimits limits)
        : all(of), dispatcher(index, limits, of, *this) {}
    void OnMet(const std::shared_ptr<Revision>&) override {}
    void OnDemand(const std::shared_ptr<Revision>&) override { ++all.demands; }
    void OnDrained(const Instance* instance) override {
      if (auto id = all.state.OnDrained(instance)) all.drained_ids.push_back(*id);
    }
    void OnEjected(const std::shared_ptr<Revision>&, const Instance& instance, uint32_t failures,
                   const Error&) override {
      all.ejected.push_back(instance.id() + "x" + std::to_string(failures));
    }
    void OnSlotNews(const std::shared_ptr<Revision>& revision) override { all.slot_news.push_back(revision->key()); }
    void OnColdStart(const Revision&, const Instance&, const ColdStartTimes& times) override {
      all.cold_starts.push_back(times);
    }
    void WakeWorker(uint32_t worker, const std::shared_ptr<Revision>& revision) override {
      ++all.wakes;
      all.later.push_back([this, worker, revision] { all[worker].Wake(*revision, all.now); });
    }
    void DeliverLater() override {
      all.later.push_back([this] { dispatcher.Deliver(); });
    }
    TestWorkers& all;
    Dispatcher dispatcher;
  };

  RevisionView ViewOf(const Revision& revision) const override { return table->ViewOf(revision); }

 public:
  std::vector<std::unique_ptr<Part>> parts;
};

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

}  // namespace updraft::activator
