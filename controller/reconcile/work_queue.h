// Which objects are to be looked at, and when. Pure.
//
// A key is never taken twice at once: added while it is being worked on, it comes again afterwards.
// Additions in between are one. Keys whose work failed come again after a back-off, those that
// asked for it at their time; any addition comes at once.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "controller/objects/object_store.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"

namespace updraft::controller {

enum class Work {
  kReconcile,  // the object's own reconciler
  kGarbage,    // its owners, dependents and finalizers
};

struct WorkKey {
  Work work = Work::kReconcile;
  ObjectKey object = {};
  auto operator<=>(const WorkKey&) const = default;
};

class WorkQueue {
 public:
  explicit WorkQueue(BackoffPolicy backoff = {.first = Millis(100), .most = Seconds(30)})
      : backoff_(backoff) {}

  void Add(const WorkKey& key);

  // The next key that is due; it is being worked on until one of the three below ends that.
  std::optional<WorkKey> Take(TimePoint now);

  void Finish(const WorkKey& key, std::optional<TimePoint> wake_at);
  void Again(const WorkKey& key);  // at once: what it was based on is out of date
  // `jitter` in [0, 1). Gives how many times in a row it has failed.
  int Retry(const WorkKey& key, TimePoint now, double jitter);

  // When Take() will give something, if nothing happens until then; nullopt: never. Not for what is
  // due.
  std::optional<TimePoint> NextWake() const;
  bool HasDue(TimePoint now) const;

  size_t waiting() const { return due_.size(); }
  size_t running() const { return running_; }
  bool idle() const { return due_.empty() && running_ == 0; }

 private:
  struct State {
    bool due = false;
    bool running = false;
    bool again = false;
    int failures = 0;
    std::optional<TimePoint> wake_at = std::nullopt;
  };
  using States = std::map<WorkKey, State>;

  void MakeDue(States::iterator it);
  void SetWake(States::iterator it, std::optional<TimePoint> when);
  void End(States::iterator it);

  const BackoffPolicy backoff_;
  States states_;
  std::deque<WorkKey> due_;
  std::set<std::pair<TimePoint, WorkKey>> wakes_;
  size_t running_ = 0;
};

}  // namespace updraft::controller
