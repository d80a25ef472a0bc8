// The only place that reads the machine's clocks.
#include "core/base/clock.h"

namespace updraft {
namespace {

class MachineClock : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  WallTime Wall() const override { return std::chrono::system_clock::now(); }
};

}  // namespace

const Clock& RealClock() {
  static const MachineClock clock;
  return clock;
}

}  // namespace updraft
