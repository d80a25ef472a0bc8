// core/v1 Events: what `kubectl describe` and `kubectl get events` show. Soft state.
//
// The same thing said again about the same object counts up one event. The number of events and
// their age are bounded: the longest silent go first. Loop thread only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "controller/instances/instance_name.h"
#include "controller/objects/object_store.h"
#include "controller/reconcile/plan.h"
#include "core/base/clock.h"
#include "core/http/task.h"

namespace updraft::controller {

struct EventLimits {
  size_t events_max = 2000;
  Nanos age_max = std::chrono::hours(1);
  size_t message_bytes_max = 1024;
};

class EventRecorder {
 public:
  // `soft`: the store that holds resource "events". All must outlive this.
  EventRecorder(ObjectStore& soft, const Clock& clock, RandomSource random, EventLimits limits = {})
      : soft_(soft), clock_(clock), random_(std::move(random)), limits_(limits) {}

  // `about`: any object with apiVersion, kind and metadata; it need not be stored. `component`: who
  // says it, "updraft-controller".
  void Record(const Json& about, const RecordEvent& event, std::string_view component);

  // Removes what is too old. Called when recording too, so a rough timer will do.
  void Prune();
  // Removes all events of a namespace that is gone, whoever has written them. What is still said of
  // its objects, as of instances that have yet to stop, is not recorded.
  void ForgetNamespace(std::string_view ns);
  // There is a namespace of that name, perhaps again.
  void ExpectNamespace(const std::string& ns) { gone_.erase(ns); }

  size_t size() const { return ids_.size(); }

 private:
  using Id = uint64_t;
  struct Entry {
    std::string identity = {};  // object, type, reason and message
    ObjectKey key = {};
    Json object = {};
    WallTime last = {};
    bool writing = false;
    bool dirty = false;    // differs from what is stored
    bool removed = false;  // kept only until the store has followed
  };

  Json NewEvent(const Json& about, const RecordEvent& event, std::string_view component) const;
  void Touch(Id id);
  void Remove(Id id);
  void WriteBack(Id id);
  http::Task<void> Write(Id id);
  http::Task<Status> WriteOnce(Id id);
  http::Task<void> Drop(ObjectKey key);

  ObjectStore& soft_;
  const Clock& clock_;
  const RandomSource random_;
  const EventLimits limits_;
  Id last_id_ = 0;
  std::map<Id, Entry> entries_;
  std::map<std::string, Id> ids_;  // by identity; those that were not removed
  std::set<std::pair<WallTime, Id>> by_age_;
  std::map<std::string, WallTime>
      gone_;  // namespaces, since when; as long as an event would be kept
  http::Scope scope_;
};

}  // namespace updraft::controller
