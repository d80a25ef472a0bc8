// The bytes of one request: for its own account, and for its revision's while it runs. Loop thread
// only.
#pragma once

#include <cstdint>

#include "activator/stats/traffic_counter.h"

namespace updraft::activator {

class TrafficMeter {
 public:
  // `counter` must outlive the meter's use.
  void CountFor(TrafficCounter& counter) { counter_ = &counter; }

  void In(uint64_t bytes) {
    if (bytes == 0) return;
    in_ += bytes;
    counter_->bytes_in.Add(bytes);
  }
  void Out(uint64_t bytes) {
    if (bytes == 0) return;
    out_ += bytes;
    counter_->bytes_out.Add(bytes);
  }
  uint64_t in() const { return in_; }
  uint64_t out() const { return out_; }

 private:
  TrafficCounter* counter_ = nullptr;
  uint64_t in_ = 0;
  uint64_t out_ = 0;
};

}  // namespace updraft::activator
