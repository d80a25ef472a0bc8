#include "autoscaler/floor/floor.h"

#include <algorithm>

namespace updraft::autoscaler {

void Floor::Configure(const Policy& policy) {
  scheduled_.reset();
  bridged_ = std::max(policy.stable_window, policy.retention);
  if (!policy.adaptive_keep_alive) {
    idle_times_.reset();
    last_activity_.reset();
  } else if (!idle_times_) {
    idle_times_ = std::make_unique<IdleHistogram>();
  }
}

void Floor::OnActivity(TimePoint now) {
  if (!idle_times_) return;
  if (last_activity_ && now - *last_activity_ > bridged_) idle_times_->Record(now - *last_activity_);
  last_activity_ = std::max(last_activity_.value_or(now), now);
}

int Floor::At(const Policy& policy, TimePoint now, WallTime wall) {
  const int scheduled = policy.schedule ? Scheduled(*policy.schedule, wall) : 0;
  return std::max(scheduled, Expected(now) ? 1 : 0);
}

// A clock that was set back is looked at anew.
int Floor::Scheduled(const api::Schedule& schedule, WallTime wall) {
  if (!scheduled_ || wall >= scheduled_->until || wall < looked_) {
    scheduled_ = schedule.At(wall);
    looked_ = wall;
  }
  return scheduled_->min_scale;
}

bool Floor::Expected(TimePoint now) const {
  if (!idle_times_ || !last_activity_) return false;
  const auto prediction = idle_times_->Predict();
  if (!prediction) return false;
  const Nanos idle = now - *last_activity_;
  return idle >= prediction->from && idle < prediction->until;
}

}  // namespace updraft::autoscaler
