// Shows instances as Pods and machines as Nodes in the soft ObjectStore, behind the fleet's back:
// nothing waits for it. Each turn's changes are gathered and written after the turn; an object that
// changes while it is written is written again, in its newest state.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "controller/instances/fleet_loop.h"
#include "controller/objects/object_store.h"
#include "core/base/loop.h"
#include "core/http/task.h"

namespace updraft::controller {

// Loop thread only.
class PodMirror : public FleetFollower {
 public:
  using FindRevision = std::function<std::shared_ptr<const Json>(const RevisionKey&)>;

  using RecordEvent = std::function<void(const InstanceEvent&, const Json& pod)>;

  // All must outlive it. `record_event`: about the pod, of which apiVersion, kind and metadata are
  // given.
  PodMirror(Loop& loop, const FleetLoop& fleet_loop, ObjectStore& soft, FindRevision find_revision,
            RecordEvent record_event)
      : loop_(loop),
        fleet_loop_(fleet_loop),
        soft_(soft),
        find_revision_(std::move(find_revision)),
        record_event_(std::move(record_event)) {}

  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) override;

  ~PodMirror() { loop_.Cancel(timer_); }
  PodMirror(const PodMirror&) = delete;
  PodMirror& operator=(const PodMirror&) = delete;

  // Nothing waits to be written.
  bool idle() const { return !writing_ && instances_.empty() && nodes_.empty() && events_.empty(); }

 private:
  http::Task<void> WriteAll();
  void RecordEvents();
  http::Task<void> WriteInstance(InstanceId id);
  http::Task<void> WriteNode(NodeName name);
  http::Task<void> Put(ObjectKey key, Json object);
  http::Task<void> Remove(ObjectKey key);

  Loop& loop_;
  const FleetLoop& fleet_loop_;
  ObjectStore& soft_;
  const FindRevision find_revision_;
  const RecordEvent record_event_;
  std::deque<InstanceEvent> events_;
  std::set<InstanceId> instances_;
  std::set<NodeName> nodes_;
  std::map<InstanceId, std::string> namespaces_;  // of the pods that are shown
  bool writing_ = false;
  Loop::TimerId timer_ = 0;
  http::Scope scope_;
};

}  // namespace updraft::controller
