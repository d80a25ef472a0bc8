#include "controller/instances/fleet_loop.h"

namespace updraft::controller {

void FleetLoop::Run() {
  const Moment at = Now();
  const FleetChanges changes = fleet_.Settle(at);
  for (FleetFollower* follower : followers_) follower->OnFleetChanges(fleet_, changes, at);
  loop_.Cancel(timer_);
  timer_ = 0;
  if (changes.wake_at) {
    timer_ = loop_.At(*changes.wake_at, [this] {
      timer_ = 0;
      loop_.Defer(this);
    });
  }
}

}  // namespace updraft::controller
