// How far a pull or a load is.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "core/base/clock.h"

namespace updraft::node_agent {

struct ImageProgress {
  std::string step;         // "resolving", "pulling", "unpacking layer 2/3"
  int64_t bytes_done = 0;   // of the blobs that have to be fetched
  int64_t bytes_total = 0;  // 0: not known yet
  bool operator==(const ImageProgress&) const = default;
};

// Called on any thread, one call at a time.
using ProgressSink = std::function<void(const ImageProgress&)>;

// Gathers what several threads do into at most five reports a second, plus one per step. Safe for
// concurrent use.
class ProgressMeter {
 public:
  ProgressMeter(const Clock& clock, ProgressSink sink) : clock_(clock), sink_(std::move(sink)) {}

  void Step(std::string step) {
    const std::lock_guard lock(mutex_);
    progress_.step = std::move(step);
    Report();
  }
  void Expect(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    progress_.bytes_total += bytes;
  }
  // Negative where bytes are thrown away and come again.
  void Add(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    progress_.bytes_done += bytes;
    if (clock_.Now() >= reported_ + kInterval) Report();
  }

 private:
  static constexpr Nanos kInterval = Millis(200);

  void Report() {
    reported_ = clock_.Now();
    if (sink_) sink_(progress_);
  }

  const Clock& clock_;
  const ProgressSink sink_;

  // Guarded by mutex_.
  std::mutex mutex_;
  ImageProgress progress_;
  TimePoint reported_;
};

}  // namespace updraft::node_agent
