// The activator's workers with routes given by the test: no control plane.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "activator/routing/routing_state.h"
#include "activator/worker_pool.h"
#include "core/base/check.h"
#include "core/http/acceptor.h"

namespace updraft::activator {

class SilentEvents final : public WorkerEvents {
 public:
  void OnDemand(std::shared_ptr<Revision>, WallTime) override {}
  void OnDrained(const Instance*) override {}
  void OnEjected(std::shared_ptr<Revision>, std::string, uint32_t, Error) override {}
  void OnColdStart(std::string, std::string, ColdStartTimes) override {}
};

// Serves host "app.test" from revision "default/app-1" with `workers` (>= 2, so that they share a
// port) threads.
class ActivatorFixture {
 public:
  ActivatorFixture(uint32_t workers, uint32_t container_concurrency)
      : routing_(workers), pool_({.workers = workers, .limits = {}, .proxy = {}}, events_) {
    RoutingUpdate update;
    update.full = true;
    RevisionSettings& revision = update.revisions.emplace_back();
    revision.key = "default/app-1";
    revision.namespace_name = "default";
    revision.name = "app-1";
    revision.service = "app";
    revision.container_concurrency = container_concurrency;
    update.routes = {{"default/app", {{"app.test", {{"default/app-1", 100}}}}}};
    Publish(update);
    // The port is chosen by a first socket that shares it and goes away.
    const UniqueFd chooser =
        *http::BindListener(*http::ParseAddress("127.0.0.1:0"), http::PortSharing::kShared);
    port_ = http::BoundPort(chooser.get());
    const Status listening = pool_.Listen({"127.0.0.1:" + std::to_string(port_)});
    UPDRAFT_CHECK(listening);
  }

  void SetPorts(const std::vector<uint16_t>& ports) {
    RoutingUpdate update;
    EndpointsUpdate& endpoints = update.endpoints.emplace_back();
    endpoints.revision = "default/app-1";
    endpoints.known = true;
    for (const uint16_t port : ports)
      endpoints.endpoints.push_back({{"i-" + std::to_string(port), "127.0.0.1", port, {}}});
    Publish(update);
  }

  uint16_t port() const { return port_; }
  uint64_t Sum(EventCount ProxyCounters::*count) const {
    uint64_t sum = 0;
    for (const ProxyCounters* counters : pool_.counters()) sum += (counters->*count).value();
    return sum;
  }
  uint32_t in_flight(uint16_t port) {
    return routing_.FindInstance("default/app-1", "i-" + std::to_string(port))->in_flight();
  }

 private:
  void Publish(const RoutingUpdate& update) {
    const auto publication =
        std::make_shared<const Publication>(routing_.Apply(update, RealClock().Wall()));
    for (Worker* worker : pool_.workers()) {
      std::promise<void> taken;
      worker->Publish(publication, [&taken] { taken.set_value(); });
      taken.get_future().wait();
    }
  }

  SilentEvents events_;
  RoutingState routing_;
  WorkerPool pool_;
  uint16_t port_ = 0;
};

}  // namespace updraft::activator
