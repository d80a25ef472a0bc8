#include "controller/reconcile/work_queue.h"

#include "core/base/check.h"

namespace updraft::controller {

void WorkQueue::Add(const WorkKey& key) { MakeDue(states_.try_emplace(key).first); }

void WorkQueue::MakeDue(States::iterator it) {
  State& state = it->second;
  SetWake(it, std::nullopt);
  if (state.running) {
    state.again = true;
  } else if (!state.due) {
    state.due = true;
    due_.push_back(it->first);
  }
}

std::optional<WorkKey> WorkQueue::Take(TimePoint now) {
  while (!wakes_.empty() && wakes_.begin()->first <= now)
    MakeDue(states_.find(wakes_.begin()->second));
  if (due_.empty()) return std::nullopt;
  const WorkKey key = due_.front();
  due_.pop_front();
  State& state = states_.at(key);
  state.due = false;
  state.running = true;
  ++running_;
  return key;
}

void WorkQueue::Finish(const WorkKey& key, std::optional<TimePoint> wake_at) {
  const auto it = states_.find(key);
  it->second.failures = 0;
  SetWake(it, wake_at);
  End(it);
}

void WorkQueue::Again(const WorkKey& key) {
  const auto it = states_.find(key);
  it->second.again = true;
  End(it);
}

int WorkQueue::Retry(const WorkKey& key, TimePoint now, double jitter) {
  const auto it = states_.find(key);
  const int failures = ++it->second.failures;
  SetWake(it, now + BackoffDelay(backoff_, failures, jitter));
  End(it);
  return failures;
}

void WorkQueue::End(States::iterator it) {
  State& state = it->second;
  UPDRAFT_CHECK(state.running);
  state.running = false;
  --running_;
  if (std::exchange(state.again, false)) {
    MakeDue(it);
  } else if (!state.wake_at && state.failures == 0) {
    states_.erase(it);
  }
}

void WorkQueue::SetWake(States::iterator it, std::optional<TimePoint> when) {
  State& state = it->second;
  if (state.wake_at) wakes_.erase({*state.wake_at, it->first});
  state.wake_at = when;
  if (when) wakes_.emplace(*when, it->first);
}

std::optional<TimePoint> WorkQueue::NextWake() const {
  if (wakes_.empty()) return std::nullopt;
  return wakes_.begin()->first;
}

bool WorkQueue::HasDue(TimePoint now) const {
  return !due_.empty() || (!wakes_.empty() && wakes_.begin()->first <= now);
}

}  // namespace updraft::controller
