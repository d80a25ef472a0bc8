// A fleet that hears from nodes, activators and the autoscaler what a test says.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controller/instances/fleet.h"
#include "controller/instances/fleet_views.h"
#include "core/base/clock.h"
#include "tests/unit/controller/instances/builders.h"

namespace updraft::controller {

// A fleet with one revision, one node and one activator, unless said otherwise.
class FleetTest : public testing::Test {
 protected:
  FleetTest() { Restart(); }

  void Restart(std::set<NodeName> expected = {}) {
    FleetOptions options;
    options.expected_nodes = std::move(expected);
    fleet_ = std::make_unique<Fleet>(
        options, [this] { return random_ = random_ * 6364136223846793005U + 1442695040888963407U; },
        clock_.Now());
    fleet_->SetRevision(SpecOf("d/r"));
    fleet_->RevisionsAreLoaded();
  }
  Moment Now() const { return {clock_.Now(), clock_.Wall()}; }
  FleetChanges Settle() { return last_ = fleet_->Settle(Now()); }
  FleetChanges Connect(const std::string& node = "n1",
                       const v1::InstanceInventory& inventory = {}) {
    fleet_->OnNodeHello(++stream_, HelloOf(node), Now());
    streams_[node] = stream_;
    fleet_->OnInventory(node, stream_, inventory, Now());
    return Settle();
  }
  FleetChanges Decide(int desired, const std::string& key = "d/r") {
    fleet_->OnDecision(DecisionOf(key, desired));
    return Settle();
  }
  FleetChanges Report(const v1::InstanceSpec& spec, v1::InstancePhase phase,
                      const std::string& node = "n1") {
    fleet_->OnReport(node, streams_[node], ReportOf(spec, phase), Now());
    return Settle();
  }
  static std::vector<v1::InstanceSpec> Starts(const FleetChanges& changes) {
    std::vector<v1::InstanceSpec> starts;
    for (const NodeOrder& order : changes.orders) {
      if (order.message.has_start()) starts.push_back(order.message.start());
    }
    return starts;
  }
  static std::vector<std::string> Stops(const FleetChanges& changes) {
    std::vector<std::string> stops;
    for (const NodeOrder& order : changes.orders) {
      if (order.message.has_stop()) stops.push_back(order.message.stop().instance_id());
      for (const v1::StopInstance& stop : order.message.desired().stop())
        stops.push_back(stop.instance_id());
    }
    return stops;
  }
  static std::optional<v1::DesiredInstances> Desired(const FleetChanges& changes) {
    for (const NodeOrder& order : changes.orders) {
      if (order.message.has_desired()) return order.message.desired();
    }
    return std::nullopt;
  }
  v1::Endpoints Endpoints(const std::string& key = "d/r") {
    return EndpointsOf(*fleet_, key, clock_.Now());
  }

  // One ready instance of d/r on n1, and an activator.
  v1::InstanceSpec OneReady() {
    fleet_->OnActivator("act");
    Connect();
    const v1::InstanceSpec spec = Starts(Decide(1)).at(0);
    Report(spec, v1::INSTANCE_READY);
    return spec;
  }

  FakeClock clock_;
  std::unique_ptr<Fleet> fleet_;
  FleetChanges last_;
  std::map<std::string, uint64_t> streams_;
  uint64_t stream_ = 0;
  uint64_t random_ = 1;
};

}  // namespace updraft::controller
