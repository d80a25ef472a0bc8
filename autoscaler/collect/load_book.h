// What the activators have said, made into differences: each reports integrals since it started. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"

namespace updraft::autoscaler {

// One activator's figures for one revision, as of one report.
struct LoadFigures {
  double request_seconds = 0;  // time integral of requests held or running
  uint64_t request_count = 0;  // arrivals
  uint32_t running = 0;
  uint32_t waiting = 0;
  Nanos read_at = Nanos(0);    // on the activator's monotonic clock; 0: not told
};

// What has come since the activator's last word on the revision.
struct LoadChange {
  double request_seconds = 0;
  double requests = 0;
  Nanos over = Nanos(0);  // the time in which it has come
  uint32_t waiting = 0;   // at all activators together, now
};

// Activators that left and may come back with what they had: the last so many.
inline constexpr size_t kDepartedMax = 32;

class LoadBook {
 public:
  // A stream of `activator` begins. Its first report holds every revision that it has figures of; with an epoch that is
  // known the differences go on where they were, with another one they begin at that report. What it does not hold does
  // not wait any more.
  void Begin(const std::string& activator, int64_t epoch);

  // One revision of a report. `first_report`: of the stream.
  LoadChange Record(const std::string& activator, const std::string& revision, const LoadFigures& figures,
                    bool first_report);
  // The same for who has many of one activator: PlaceOf() names it until the activator ends.
  using Place = uint32_t;
  Place PlaceOf(const std::string& activator) { return Named(activator).place; }
  LoadChange Record(Place activator, const std::string& revision, const LoadFigures& figures, bool first_report);

  // The activator is gone; what it held no longer waits.
  void End(const std::string& activator);

  // Over all activators that are there.
  uint32_t Waiting(const std::string& revision) const;
  uint32_t Running(const std::string& revision) const;
  bool AnyActivator() const;

  void Forget(const std::string& revision);

 private:
  struct Activator {
    int64_t epoch = 0;
    bool present = false;
    Place place = 0;
    uint64_t departure = 0;  // while it is not present: in which order they left
  };
  struct Said {
    Place place = 0;
    LoadFigures figures = {};
  };
  struct Revision {
    std::vector<Said> last = {};  // by place, in order
    uint32_t waiting = 0;         // the sums
    uint32_t running = 0;

    Said* Find(Place place);
  };

  Activator& Named(const std::string& activator);
  void ForgetFigures(Place place);
  void Quiet(Place place);  // nothing waits or runs there
  void ForgetLongDeparted();

  std::map<std::string, Activator, std::less<>> activators_;
  Place next_place_ = 0;
  uint64_t departures_ = 0;
  std::unordered_map<std::string, Revision> revisions_;
};

}  // namespace updraft::autoscaler
