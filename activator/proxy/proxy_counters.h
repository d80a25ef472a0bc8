// What happens to requests outside any revision's own counts. One worker writes, any thread reads.
#pragma once

#include <atomic>
#include <cstdint>

namespace updraft::activator {

class EventCount {
 public:
  void Add() {
    value_.store(value_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct ProxyCounters {
  EventCount unrouted;  // no route for the request's host
  EventCount connects;  // connections opened to instances
  EventCount connect_failures;
  EventCount repeats;        // requests sent again because no instance had seen them
  EventCount client_aborts;  // clients that went away before the end of their response
  EventCount timeouts;       // requests ended by one of their revision's timeouts
};

}  // namespace updraft::activator
