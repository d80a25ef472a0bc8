// When an instance that has left routing may be told to stop. Pure.
#pragma once

#include <map>
#include <optional>

#include "controller/instances/instance.h"
#include "core/base/clock.h"

namespace updraft::controller {

// The activators that may have requests in an instance.
class ActivatorTable {
 public:
  // An activator that lost its stream may still be routing by what it was told last: it is waited
  // for that long before it is taken for dead. After a restart the same time is left to all to
  // connect.
  ActivatorTable(TimePoint started, Nanos patience)
      : settled_(started + patience), patience_(patience) {}

  void OnConnected(const ActivatorId& id) { gone_[id] = std::nullopt; }
  void OnDisconnected(const ActivatorId& id, TimePoint now) { gone_[id] = now; }

  struct Verdict {
    bool drained = false;
    std::optional<TimePoint> look_again;  // when an activator's silence will count as its end
  };
  // Whether all who may have requests in the instance say that they have none any more.
  Verdict Drained(const Instance& instance, TimePoint now) const {
    Verdict verdict{.drained = true, .look_again = std::nullopt};
    if (gone_.empty() && now < settled_) return {.drained = false, .look_again = settled_};
    for (const auto& [id, since] : gone_) {
      if (instance.drained_by.contains(id) || (since && now >= *since + patience_)) continue;
      verdict.drained = false;
      if (since) {
        const TimePoint end = *since + patience_;
        verdict.look_again = verdict.look_again ? std::min(*verdict.look_again, end) : end;
      }
    }
    return verdict;
  }

  // Those that are away for good.
  void ForgetDead(TimePoint now) {
    std::erase_if(gone_, [now, this](const auto& entry) {
      return entry.second && now >= *entry.second + patience_;
    });
  }
  size_t size() const { return gone_.size(); }

 private:
  const TimePoint settled_;
  const Nanos patience_;
  std::map<ActivatorId, std::optional<TimePoint>> gone_;  // nullopt: connected
};

// Between SIGTERM and SIGKILL: what the drain has left of the grace, and never less than two
// seconds.
inline Nanos GraceLeft(Nanos grace, Nanos drained_for) {
  return std::max<Nanos>(Seconds(2), grace - drained_for);
}

}  // namespace updraft::controller
