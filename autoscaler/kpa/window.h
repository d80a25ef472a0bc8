// Averages over a sliding window of one-second buckets, as Knative's autoscaler keeps them. Pure.
//
// Times are truncated to seconds. Values recorded in the same second add up. A window that is younger than its length
// averages over its life; seconds without a value inside its life count as 0; a source that falls silent is averaged
// over what is left of the window. Source of the rules: Knative's aggregation/max and bucketing packages, as described
// in its autoscaling documentation.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/clock.h"

namespace updraft::autoscaler {

enum class Averaging { kLinear, kWeightedExponential };

class Window {
 public:
  // `length`: rounded up to whole seconds, at least one.
  explicit Window(Nanos length, Averaging averaging = Averaging::kLinear);

  // Adds `value` to the second of `now`. A value that is older than the window is dropped; after a silence of a
  // whole window the life of the window begins anew.
  void Record(TimePoint now, double value);

  // Linear: the sum over the lived part of the window, rounded to 6 decimals. Weighted: the newest second weighs most.
  double Average(TimePoint now) const;

  // Nothing was recorded within the last window length.
  bool IsEmpty(TimePoint now) const;

  // Changes the length and keeps the newest seconds. As in Knative the life is then taken to have begun a whole old
  // window before the last value; what has been silent for longer than the old window is forgotten and begins anew,
  // though the time of its last value is known still: IsEmpty() judges by it and the new length.
  void Resize(Nanos length, TimePoint now);

  Nanos length() const { return Seconds(count()); }

 private:
  int64_t count() const { return static_cast<int64_t>(buckets_.size()); }
  size_t IndexOf(int64_t second) const {  // also of one before the clock's epoch
    const int64_t rest = second % count();
    return static_cast<size_t>(rest < 0 ? rest + count() : rest);
  }
  double& At(int64_t second) { return buckets_[IndexOf(second)]; }
  double At(int64_t second) const { return buckets_[IndexOf(second)]; }
  double Linear(int64_t second) const;
  double Weighted(int64_t second) const;

  Averaging averaging_;
  std::vector<double> buckets_;  // of second s: s modulo their number
  double total_ = 0;
  std::optional<int64_t> last_second_;   // nullopt: nothing was recorded
  std::optional<int64_t> first_second_;  // nullopt: a whole window before the last
};

// The largest of the values recorded in the last slots of two seconds: for scale-down-delay.
class DelayWindow {
 public:
  // REQUIRES: delay > 0. Takes no room of its own, however long it is.
  explicit DelayWindow(Nanos delay);

  // REQUIRES: not earlier than the call before.
  void Record(TimePoint now, int value);
  int Maximum(TimePoint now) const;

 private:
  struct Slot {
    int64_t index = 0;
    int value = 0;
  };
  int64_t count_;
  std::deque<Slot> slots_;  // those that may yet be the largest: falling, the oldest first
};

}  // namespace updraft::autoscaler
