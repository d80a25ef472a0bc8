// A count that one thread writes and any thread reads: no bus lock, no shared line in the way.
#pragma once

#include <atomic>
#include <cstdint>

namespace updraft::activator {

class EventCount {
 public:
  void Add(uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace updraft::activator
