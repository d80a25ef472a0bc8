// How long things took, in buckets. One thread writes, any thread reads; each figure is whole, the
// figures among themselves may be an observation apart.
#pragma once

#include <array>
#include <cstdint>

#include "activator/stats/event_count.h"
#include "core/base/clock.h"

namespace updraft::activator {

// Upper bounds of the buckets in seconds; a last one without bound follows.
inline constexpr std::array<double, 16> kDurationBounds = {.001, .0025, .005, .01, .025, .05, .075, .1,
                                                           .25,  .5,    .75,  1,   2.5,  5,   7.5,  10};

struct DurationTotals {
  std::array<uint64_t, kDurationBounds.size() + 1> buckets{};
  double sum = 0;  // seconds
  uint64_t count() const;
};

class DurationHistogram {
 public:
  void Add(Nanos took);                      // the writer's thread
  void AddTo(DurationTotals& totals) const;  // any thread

 private:
  std::array<EventCount, kDurationBounds.size() + 1> buckets_{};
  EventCount nanos_;
};

}  // namespace updraft::activator
