// Virtual time: what is to happen, in order. Equal times keep the order in which they were asked for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/base/clock.h"

namespace updraft::sim {

class Scheduler {
 public:
  using Run = std::function<void()>;

  TimePoint now() const { return now_; }
  uint64_t events() const { return events_; }
  size_t pending() const { return heap_.size(); }

  // A time that is past means at once.
  void At(TimePoint when, Run run) {
    heap_.push_back({std::max(when, now_), next_++, std::move(run)});
    std::push_heap(heap_.begin(), heap_.end());
  }
  void After(Nanos delay, Run run) { At(now_ + delay, std::move(run)); }

  // Runs the next event if it is due by `limit`; else time moves there, and false is returned.
  bool RunOne(TimePoint limit) {
    if (heap_.empty() || heap_.front().when > limit) {
      now_ = std::max(now_, limit);
      return false;
    }
    std::pop_heap(heap_.begin(), heap_.end());
    const Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.when;
    ++events_;
    event.run();
    return true;
  }

 private:
  struct Event {
    TimePoint when;
    uint64_t order = 0;
    Run run;
    bool operator<(const Event& other) const {  // the heap's front is the greatest
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  TimePoint now_ = TimePoint(std::chrono::hours(1));
  uint64_t next_ = 0;
  uint64_t events_ = 0;
  std::vector<Event> heap_;
};

}  // namespace updraft::sim
