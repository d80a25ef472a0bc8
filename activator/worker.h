// One worker: a loop thread's view of the routes, and its dispatcher. What the proxy stands on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "activator/queue/dispatcher.h"
#include "activator/routing/route_table.h"
#include "activator/routing/routing_state.h"
#include "core/base/clock.h"
#include "core/base/loop.h"

namespace updraft::activator {

// Where the workers' news go. Called on any worker's thread.
class WorkerEvents {
 public:
  virtual void OnMet(std::shared_ptr<Revision> revision) = 0;
  virtual void OnDemand(std::shared_ptr<Revision> revision, WallTime queued) = 0;
  // A name only, as for DispatcherEvents.
  virtual void OnDrained(const Instance* instance) = 0;
  virtual void OnEjected(std::shared_ptr<Revision> revision, std::string instance_id, uint32_t failures,
                         Error error) = 0;
  virtual void OnSlotNews(std::shared_ptr<Revision> revision) = 0;
  virtual void OnColdStart(std::string revision, std::string instance_id, ColdStartTimes times) = 0;

 protected:
  ~WorkerEvents() = default;
};

// Loop thread only, but for construction, Meet(), Publish() and PostWake().
class Worker final : private DispatcherEvents, private RevisionViews, private Deferred {
 public:
  // `clock` stamps demands. All references must outlive the worker; the loop must have stopped, or
  // run out of requests, when it is destroyed.
  Worker(uint32_t index, Loop& loop, const Clock& clock, DispatcherLimits limits, WorkerEvents& events);
  // All workers of the process, this one included. Before the first publication.
  void Meet(std::vector<Worker*> workers) { workers_ = std::move(workers); }

  uint32_t index() const { return index_; }
  Loop& loop() const { return loop_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  // What it hands out is valid until the end of the turn.
  const RouteTable& routes() const { return *routes_; }

  // Any thread. Takes effect in the order of the calls; `taken` runs on the loop when it has: the worker has let go
  // of `publication` and of the table before.
  void Publish(std::shared_ptr<const Publication> publication, std::function<void()> taken);
  // Any thread: slots of the revision may have become free.
  void PostWake(std::shared_ptr<Revision> revision);

 private:
  RevisionView ViewOf(const Revision& revision) const override { return routes_->ViewOf(revision); }
  void OnMet(const std::shared_ptr<Revision>& revision) override { events_.OnMet(revision); }
  void OnDemand(const std::shared_ptr<Revision>& revision) override;
  void OnDrained(const Instance* instance) override { events_.OnDrained(instance); }
  void OnEjected(const std::shared_ptr<Revision>& revision, const Instance& instance, uint32_t failures,
                 const Error& error) override;
  void OnSlotNews(const std::shared_ptr<Revision>& revision) override { events_.OnSlotNews(revision); }
  void OnColdStart(const Revision& revision, const Instance& instance, const ColdStartTimes& times) override;
  void WakeWorker(uint32_t worker, const std::shared_ptr<Revision>& revision) override;
  void DeliverLater() override { loop_.Defer(this); }
  void Run() override { dispatcher_.Deliver(); }

  void Take(const Publication& publication);

  const uint32_t index_;
  Loop& loop_;
  const Clock& clock_;
  WorkerEvents& events_;
  std::vector<Worker*> workers_;
  std::shared_ptr<const RouteTable> routes_;
  Dispatcher dispatcher_;
};

}  // namespace updraft::activator
