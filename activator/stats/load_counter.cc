#include "activator/stats/load_counter.h"

#include <algorithm>

namespace updraft::activator {
namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;
__extension__ using Uint128 = unsigned __int128;

}  // namespace

void RequestTime::Add(uint64_t count, Nanos span) {
  // Short spans, which is nearly all: no division.
  if (count < 1'000 && static_cast<uint64_t>(span.count()) < kNanosPerSecond / 1'000) {
    nanos += count * static_cast<uint64_t>(span.count());
    if (nanos >= kNanosPerSecond) {
      nanos -= kNanosPerSecond;
      ++seconds;
    }
    return;
  }
  const Uint128 total = Uint128{count} * static_cast<uint64_t>(span.count()) + nanos;
  seconds += static_cast<uint64_t>(total / kNanosPerSecond);
  nanos = static_cast<uint64_t>(total % kNanosPerSecond);
}

void RequestTime::Add(const RequestTime& other) {
  seconds += other.seconds;
  nanos += other.nanos;
  if (nanos >= kNanosPerSecond) {
    nanos -= kNanosPerSecond;
    ++seconds;
  }
}

LoadReading LoadReading::ExtendedTo(TimePoint when) const {
  LoadReading extended = *this;
  if (when <= at) return extended;
  extended.request_time.Add(uint64_t{waiting} + running, when - at);
  extended.at = when;
  return extended;
}

template <typename Change>
void LoadCounter::Write(Change change) {
  change(current_);
  const uint64_t sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 1, std::memory_order_relaxed);
  seconds_.store(current_.request_time.seconds, std::memory_order_release);
  nanos_.store(current_.request_time.nanos, std::memory_order_release);
  arrivals_.store(current_.arrivals, std::memory_order_release);
  waiting_.store(current_.waiting, std::memory_order_release);
  running_.store(current_.running, std::memory_order_release);
  at_.store(current_.at.time_since_epoch().count(), std::memory_order_release);
  sequence_.store(sequence + 2, std::memory_order_release);
}

void LoadCounter::Arrived() {
  Write([](LoadReading& reading) { ++reading.arrivals; });
}

void LoadCounter::Move(TimePoint now, int waiting, int running) {
  Write([now, waiting, running](LoadReading& reading) {
    reading = reading.ExtendedTo(now);
    reading.at = std::max(reading.at, now);
    reading.waiting += static_cast<uint32_t>(waiting);
    reading.running += static_cast<uint32_t>(running);
  });
}

LoadReading LoadCounter::Read() const {
  while (true) {
    const uint64_t before = sequence_.load(std::memory_order_acquire);
    LoadReading reading;
    reading.request_time.seconds = seconds_.load(std::memory_order_acquire);
    reading.request_time.nanos = nanos_.load(std::memory_order_acquire);
    reading.arrivals = arrivals_.load(std::memory_order_acquire);
    reading.waiting = waiting_.load(std::memory_order_acquire);
    reading.running = running_.load(std::memory_order_acquire);
    reading.at = TimePoint(Nanos(at_.load(std::memory_order_acquire)));
    if ((before & 1) == 0 && sequence_.load(std::memory_order_relaxed) == before) return reading;
  }
}

}  // namespace updraft::activator
