// A count of instances that a revision keeps beside its min-scale, though nothing asks for it now: because its schedule
// says so, or because a request is to be expected. Pure: the time is handed in.
#pragma once

#include <memory>

#include "autoscaler/floor/idle_histogram.h"
#include "autoscaler/kpa/policy.h"
#include "core/base/clock.h"

namespace updraft::autoscaler {

class Floor {
 public:
  // A new or changed policy. What was learned is kept.
  void Configure(const Policy& policy);

  // There were requests at that time.
  void OnActivity(TimePoint now);

  int At(const Policy& policy, TimePoint now, WallTime wall);

  const IdleHistogram* histogram() const { return idle_times_.get(); }

 private:
  int Scheduled(const api::Schedule& schedule, WallTime wall);
  bool Expected(TimePoint now) const;

  std::unique_ptr<IdleHistogram> idle_times_;  // null: not wanted
  Nanos bridged_{0};                           // an idle time of at most this the windows bridge anyway
  std::optional<TimePoint> last_activity_;
  std::optional<api::Schedule::Moment> scheduled_;
  WallTime looked_;
};

}  // namespace updraft::autoscaler
