// How a revision's requests ended, as one worker saw it. One thread writes, any thread reads; each
// figure is whole, the figures among themselves may be a request apart.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/base/clock.h"

namespace updraft::activator {

struct ResponseSample {
  int status = 0;  // as the client saw it; 0: the client went away before there was one
  Nanos latency = Nanos(0);  // from the request's head to the response's end
};

// Upper bounds of the latency buckets in seconds; a last one without bound follows.
inline constexpr std::array<double, 16> kLatencyBounds = {.001, .0025, .005, .01, .025, .05, .075, .1,
                                                          .25,  .5,    .75,  1,   2.5,  5,   7.5,  10};

// 1xx ... 5xx at 1 ... 5; 0: no response.
inline constexpr size_t kStatusClasses = 6;

struct ResponseTotals {
  struct Class {
    std::array<uint64_t, kLatencyBounds.size() + 1> buckets{};
    double latency_sum = 0;  // seconds
    uint64_t count() const;
  };
  std::array<Class, kStatusClasses> classes{};

  void Add(const ResponseTotals& other);
};

class ResponseCounter {
 public:
  void Add(const ResponseSample& sample);  // the writer's thread
  void AddTo(ResponseTotals& totals) const;  // any thread

 private:
  struct Class {
    std::array<std::atomic<uint64_t>, kLatencyBounds.size() + 1> buckets{};
    std::atomic<int64_t> latency_nanos{0};
  };
  std::array<Class, kStatusClasses> classes_{};
};

}  // namespace updraft::activator
