// The turns of a fleet are those of a Loop.
#pragma once

#include <optional>

#include "controller/instances/fleet_loop.h"
#include "core/base/loop.h"

namespace updraft::controller {

// Loop thread only.
class FleetOnLoop final : public FleetLoop, private Deferred {
 public:
  FleetOnLoop(Loop& loop, const Clock& clock, Fleet& fleet)
      : FleetLoop(clock, fleet), loop_(loop) {}
  ~FleetOnLoop() override { loop_.Cancel(timer_); }

 private:
  void SettleLater() override { loop_.Defer(this); }
  void SettleAt(std::optional<TimePoint> when) override;
  void Run() override { SettleNow(); }

  Loop& loop_;
  Loop::TimerId timer_ = 0;
};

}  // namespace updraft::controller
