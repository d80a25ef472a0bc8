// The activator's workers with routes given by the test: no control plane.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "activator/routing/routing_state.h"
#include "activator/stats/revision_page.h"
#include "activator/worker_pool.h"
#include "core/base/check.h"
#include "core/http/acceptor.h"

namespace updraft::activator {

class CountedEvents final : public WorkerEvents {
 public:
  void OnMet(std::shared_ptr<Revision>) override {}
  void OnDemand(std::shared_ptr<Revision>, WallTime) override {
    ++demands_;
    demands_.notify_all();
  }
  void OnDrained(const Instance*) override {}
  void OnEjected(std::shared_ptr<Revision> revision, std::string instance_id, uint32_t, Error) override {
    const std::lock_guard lock(mutex_);
    ejected_.emplace_back(std::move(revision), std::move(instance_id));
  }
  void OnSlotNews(std::shared_ptr<Revision>) override {}
  void OnColdStart(std::string, std::string, ColdStartTimes) override {}

  // A request waits for an instance.
  void WaitForDemand() { demands_.wait(0); }
  // Since it was last asked.
  std::vector<std::pair<std::shared_ptr<Revision>, std::string>> TakeEjected() {
    const std::lock_guard lock(mutex_);
    return std::exchange(ejected_, {});
  }

 private:
  std::atomic<int> demands_ = 0;
  std::mutex mutex_;
  std::vector<std::pair<std::shared_ptr<Revision>, std::string>> ejected_;
};

inline WorkerPoolOptions Workers(uint32_t workers) {
  WorkerPoolOptions options;
  options.workers = workers;
  return options;
}

inline RevisionSettings WithConcurrency(uint32_t container_concurrency) {
  RevisionSettings settings;
  settings.container_concurrency = container_concurrency;
  return settings;
}

// Serves host "app.test" from revision "default/app-1" with at least 2 workers, so that they share
// a port.
class ActivatorFixture {
 public:
  ActivatorFixture(uint32_t workers, uint32_t container_concurrency)
      : ActivatorFixture(Workers(workers), WithConcurrency(container_concurrency)) {}
  // Of the settings, the names are the fixture's.
  ActivatorFixture(const WorkerPoolOptions& options, RevisionSettings settings)
      : routing_(options.workers), pool_(options, events_) {
    settings.key = "default/app-1";
    settings.namespace_name = "default";
    settings.name = "app-1";
    settings.service = "app";
    RoutingUpdate update;
    update.full = true;
    update.revisions.push_back(std::move(settings));
    update.routes = {{"default/app", {{"app.test", {{"default/app-1", 100}}}}}};
    Publish(update);
    port_ = Listen({});
  }

  // At a port of its own; `listen` but for its address.
  uint16_t Listen(ListenAddress listen) {
    // The port is chosen by a first socket that shares it and goes away.
    const UniqueFd chooser =
        *http::BindListener(*http::ParseAddress("127.0.0.1:0"), http::PortSharing::kShared);
    const uint16_t port = http::BoundPort(chooser.get());
    listen.address = "127.0.0.1:" + std::to_string(port);
    const std::vector<ListenAddress> addresses = {listen};
    const Status listening = pool_.Listen(addresses);
    UPDRAFT_CHECK(listening);
    return port;
  }

  // Adds to what is routed. Returns the table that the workers have from now on.
  std::weak_ptr<const RouteTable> Publish(const RoutingUpdate& update) {
    const std::shared_ptr<const Publication> publication = Decide(update);
    Tell(publication);
    return publication->table;
  }
  // The workers take it before any request that is sent from now on; returns before they have.
  void PublishSoon(const RoutingUpdate& update) {
    const std::shared_ptr<const Publication> publication = Decide(update);
    for (Worker* worker : pool_.workers()) worker->Publish(publication, [] {});
  }
  void SetPorts(const std::vector<uint16_t>& ports) { Publish(Instances(ports, false)); }
  // They are to stop: what is inside may finish.
  void SetDraining(const std::vector<uint16_t>& ports) { Publish(Instances(ports, true)); }

  // The same in two steps: between them the workers have not heard of it.
  std::shared_ptr<const Publication> DecideDraining(const std::vector<uint16_t>& ports) {
    return Decide(Instances(ports, true));
  }
  void Tell(const std::shared_ptr<const Publication>& publication) {
    for (Worker* worker : pool_.workers()) {
      std::promise<void> taken;
      worker->Publish(publication, [&taken] { taken.set_value(); });
      taken.get_future().wait();
    }
  }

  // As the control loop does when an instance has been left alone for a while. How many there were.
  size_t RestoreEjected() {
    const auto ejected = events_.TakeEjected();
    for (const auto& [revision, id] : ejected) {
      if (Instance* instance = routing_.FindInstance(revision->key(), id)) instance->Restore();
      for (Worker* worker : pool_.workers()) worker->PostWake(revision);
    }
    return ejected.size();
  }

  uint16_t port() const { return port_; }
  CountedEvents& events() { return events_; }
  WorkerPool& pool() { return pool_; }
  uint64_t Sum(EventCount ProxyCounters::*count) const {
    uint64_t sum = 0;
    for (const ProxyCounters* counters : pool_.counters()) sum += (counters->*count).value();
    return sum;
  }
  // For pages of metrics.
  RevisionPage::OfRevision revision(const std::string& name = "app-1") {
    const auto settings = std::make_shared<RevisionSettings>();
    settings->namespace_name = "default";
    settings->name = name;
    return {settings, routing_.FindRevision("default/" + name)};
  }
  uint32_t in_flight(uint16_t port) {
    return routing_.FindInstance("default/app-1", "i-" + std::to_string(port))->in_flight();
  }

 private:
  std::shared_ptr<const Publication> Decide(const RoutingUpdate& update) {
    return std::make_shared<const Publication>(routing_.Apply(update, RealClock().Wall()));
  }
  static RoutingUpdate Instances(const std::vector<uint16_t>& ports, bool draining) {
    RoutingUpdate update;
    EndpointsUpdate& endpoints = update.endpoints.emplace_back();
    endpoints.revision = "default/app-1";
    endpoints.known = true;
    for (const uint16_t port : ports)
      endpoints.endpoints.push_back(
          {{"i-" + std::to_string(port), "127.0.0.1", port, {}}, draining});
    return update;
  }

  CountedEvents events_;
  RoutingState routing_;
  WorkerPool pool_;
  uint16_t port_ = 0;
};

}  // namespace updraft::activator
