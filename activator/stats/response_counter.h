// How a revision's requests ended, as one worker saw it. One thread writes, any thread reads.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "activator/stats/duration_histogram.h"
#include "core/base/clock.h"

namespace updraft::activator {

struct ResponseSample {
  int status = 0;  // as the client saw it; 0: the client went away before there was one
  Nanos latency = Nanos(0);  // from the request's head to the response's end
};

// 1xx ... 5xx at 1 ... 5; 0: no response.
inline constexpr size_t kStatusClasses = 6;

struct ResponseTotals {
  std::array<DurationTotals, kStatusClasses> classes{};
};

class ResponseCounter {
 public:
  void Add(const ResponseSample& sample);  // the writer's thread
  void AddTo(ResponseTotals& totals) const;  // any thread
  // How many were added. Who reads this sees all that their thread had counted before, here or elsewhere. Any thread.
  uint64_t added() const { return added_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint64_t> added_{0};
  std::array<DurationHistogram, kStatusClasses> classes_{};
};

}  // namespace updraft::activator
