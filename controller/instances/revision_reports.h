// What the fleet knows of a revision, for the reconcilers: they ask, and are told when to ask
// again.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "controller/instances/fleet_loop.h"
#include "controller/reconcile/observed.h"

namespace updraft::controller {

// Loop thread only.
class RevisionReports : public RevisionObserver, public FleetFollower {
 public:
  using OnChanged = std::function<void(std::string_view ns, std::string_view name)>;

  explicit RevisionReports(const FleetLoop& fleet_loop) : fleet_loop_(fleet_loop) {}

  // `on_changed` is called when Observe() has a new answer. Once, before the first change.
  void Start(OnChanged on_changed) { on_changed_ = std::move(on_changed); }

  RevisionObserved Observe(std::string_view ns, std::string_view name) const override;
  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) override;

 private:
  const FleetLoop& fleet_loop_;
  OnChanged on_changed_;
  std::map<RevisionKey, std::string> told_;  // what was told last, as text
};

}  // namespace updraft::controller
