#include "controller/instances/fleet_on_loop.h"

namespace updraft::controller {

void FleetOnLoop::SettleAt(std::optional<TimePoint> when) {
  loop_.Cancel(timer_);
  timer_ = 0;
  if (!when) return;
  timer_ = loop_.At(*when, [this] {
    timer_ = 0;
    loop_.Defer(this);
  });
}

}  // namespace updraft::controller
