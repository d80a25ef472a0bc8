// The fleet on its loop: whoever changes it does so through Change(), and at the end of the loop's
// turn everything that the turn brought is settled at once and told to the followers. No timer, no
// queue and no store stands between a decision and the order that it leads to.
#pragma once

#include <concepts>
#include <vector>

#include "controller/instances/fleet.h"
#include "core/base/clock.h"
#include "core/base/loop.h"

namespace updraft::controller {

// Carries changes out or passes them on. Must not change the fleet from within.
class FleetFollower {
 public:
  virtual void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) = 0;

 protected:
  ~FleetFollower() = default;
};

// Loop thread only.
class FleetLoop : private Deferred {
 public:
  FleetLoop(Loop& loop, const Clock& clock, Fleet& fleet)
      : loop_(loop), clock_(clock), fleet_(fleet) {}
  ~FleetLoop() override { loop_.Cancel(timer_); }
  FleetLoop(const FleetLoop&) = delete;
  FleetLoop& operator=(const FleetLoop&) = delete;

  // In the order in which they were added: those that someone waits for come first.
  void Add(FleetFollower& follower) { followers_.push_back(&follower); }

  void Change(std::invocable<Fleet&, Moment> auto&& change) {
    change(fleet_, Now());
    loop_.Defer(this);
  }
  const Fleet& fleet() const { return fleet_; }
  // The wall clock is read anew: stamps of phases are compared with those of other programs.
  Moment Now() const { return {clock_.Now(), clock_.Wall()}; }

 private:
  void Run() override;

  Loop& loop_;
  const Clock& clock_;
  Fleet& fleet_;
  std::vector<FleetFollower*> followers_;
  Loop::TimerId timer_ = 0;
};

}  // namespace updraft::controller
