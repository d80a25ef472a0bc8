// The fleet in turns: whoever changes it does so through Change(), and at the end of the turn
// everything that the turn brought is settled at once and told to the followers. No timer, no queue
// and no store stands between a decision and the order that it leads to.
//
// Pure: does not know the loop whose turns they are (fleet_on_loop.h), so that the simulation
// drives it.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "controller/instances/fleet.h"
#include "core/base/clock.h"

namespace updraft::controller {

// Carries changes out or passes them on. Must not change the fleet from within.
class FleetFollower {
 public:
  virtual void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) = 0;

 protected:
  ~FleetFollower() = default;
};

// Loop thread only.
class FleetLoop {
 public:
  virtual ~FleetLoop() = default;
  FleetLoop(const FleetLoop&) = delete;
  FleetLoop& operator=(const FleetLoop&) = delete;

  // In the order in which they were added: those that someone waits for come first.
  void Add(FleetFollower& follower) { followers_.push_back(&follower); }

  void Change(std::invocable<Fleet&, Moment> auto&& change) {
    change(fleet_, Now());
    SettleLater();
  }
  const Fleet& fleet() const { return fleet_; }
  // Of several controllers: one that leads no more tells nobody anything, though it may not have
  // noticed yet that it stood still. Asked at each act.
  void ActOnlyWhile(std::function<bool()> leads) { leads_ = std::move(leads); }
  bool may_act() const { return !leads_ || leads_(); }
  // The wall clock is read anew: stamps of phases are compared with those of other programs.
  Moment Now() const { return {clock_.Now(), clock_.Wall()}; }

 protected:
  // Both must outlive it.
  FleetLoop(const Clock& clock, Fleet& fleet) : clock_(clock), fleet_(fleet) {}

  void SettleNow();
  // Has SettleNow() called once at the end of the turn.
  virtual void SettleLater() = 0;
  // The same at that time, instead of the one that was asked for before; nullopt: at none.
  virtual void SettleAt(std::optional<TimePoint> when) = 0;

 private:
  const Clock& clock_;
  Fleet& fleet_;
  std::vector<FleetFollower*> followers_;
  std::function<bool()> leads_;
};

}  // namespace updraft::controller
