// The time limits of one request: its revision's timeouts, on one timer. Loop thread only.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/timer_wheel.h"

namespace updraft::activator {

struct RequestTimeouts {
  Nanos total = Seconds(300);
  Nanos response_start = Nanos(0);  // 0: off
  Nanos idle = Nanos(0);            // 0: off
  Nanos silent_stream = Nanos(0);   // silence after the response, or a tunnel, has begun; 0: off
};

class DeadlineObserver {
 public:
  // Once. Must not destroy the deadlines.
  virtual void OnDeadline() = 0;

 protected:
  ~DeadlineObserver() = default;
};

class RequestDeadlines final : private Timer {
 public:
  // Begins to count now.
  RequestDeadlines(Loop& loop, const RequestTimeouts& timeouts, DeadlineObserver& observer);

  // The response has begun.
  void OnResponseStart() {
    started_ = true;
    if (timeouts_.silent_stream > Nanos(0)) WatchForSilence();
  }
  // Something was written to the client.
  void OnActivity() { last_activity_ = loop_.Now(); }

  bool expired() const { return expired_ != Limit::kNone; }
  // Which limit it was, for a person. REQUIRES: expired().
  std::string why() const;

 private:
  enum class Limit : uint8_t { kNone, kTotal, kResponseStart, kIdle, kSilentStream };

  void OnTimer() override;
  void WatchForSilence();
  TimePoint Next() const;

  Loop& loop_;
  const RequestTimeouts timeouts_;
  DeadlineObserver& observer_;
  const TimePoint start_;
  TimePoint last_activity_;
  bool started_ = false;
  Limit expired_ = Limit::kNone;
};

}  // namespace updraft::activator
