#include "controller/instances/fleet_loop.h"

namespace updraft::controller {

void FleetLoop::SettleNow() {
  if (!may_act()) return;
  const Moment at = Now();
  const FleetChanges changes = fleet_.Settle(at);
  for (FleetFollower* follower : followers_) follower->OnFleetChanges(fleet_, changes, at);
  SettleAt(changes.wake_at);
}

}  // namespace updraft::controller
