// Fleet's placement: from the record of an instance to the order to start it.
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "controller/instances/failure.h"
#include "controller/instances/fleet.h"

namespace updraft::controller {
namespace {

bool HasImages(const Node& node, const v1::InstanceSpec& spec) {
  return std::ranges::all_of(spec.containers(), [&node](const v1::Container& container) {
    return std::ranges::find(node.status.images(), container.image()) != node.status.images().end();
  });
}

std::vector<NodeView> ViewsOf(const NodeTable& nodes, const v1::InstanceSpec& spec,
                              const std::vector<const Instance*>& siblings) {
  std::map<std::string_view, int64_t> of_revision;  // by node
  for (const Instance* sibling : siblings) ++of_revision[sibling->node];
  std::vector<NodeView> views;
  views.reserve(nodes.size());
  for (const auto& [name, node] : nodes) {
    const auto there = of_revision.find(name);
    views.push_back({.name = name,
                     .cpu_millis = node.hello.capacity().cpu_millis(),
                     .memory_bytes = node.hello.capacity().memory_bytes(),
                     .instances_max = node.hello.capacity().instances_max(),
                     .cpu_used_millis = node.cpu_used_millis,
                     .memory_used_bytes = node.memory_used_bytes,
                     .instances = static_cast<int64_t>(node.instances.size()),
                     .instances_of_revision = there == of_revision.end() ? 0 : there->second,
                     .has_image = HasImages(node, spec),
                     .cordoned = node.cordoned,
                     .silent = node.health != NodeHealth::kConnected,
                     .disk_pressure = node.status.disk_pressure()});
  }
  return views;
}

}  // namespace

// All that wait ask for the same, so that the nodes are looked at once, and where one finds no room the
// others need not ask.
void Fleet::PlaceAll(RevisionState& state, const RevisionKey& key, Moment at) {
  std::vector<Instance*> waiting;
  for (Instance* instance : instances_.OfRevision(key)) {
    const bool waits = instance->node.empty() && instance->phase == v1::INSTANCE_PENDING;
    if (waits && !state.removed) waiting.push_back(instance);
  }
  if (waiting.empty()) {
    waiting_for_room_.erase(key);
    return;
  }
  const RevisionSpec& revision = *state.spec;
  std::optional<v1::Failure> refusal = revision.config_error;
  std::vector<NodeView> views;
  if (!refusal) {
    const auto siblings = std::as_const(instances_).OfRevision(key);
    views = ViewsOf(nodes_, revision.instance, siblings);
  }
  for (Instance* instance : waiting) {
    if (!refusal) refusal = PlaceOne(revision, *instance, views, at);
    if (refusal) Refuse(*instance, *refusal);
  }
  if (refusal) waiting_for_room_.insert(key);
  // Why those that found a node fail says more of the revision than that others find none.
  const bool some_placed = std::ranges::any_of(
      std::as_const(instances_).OfRevision(key), [&state](const Instance* instance) {
        return instance->intent == Intent::kRun && !instance->node.empty() &&
               !OfAnEarlierOne(state, *instance);
      });
  if (refusal && !(some_placed && state.last_failure)) state.last_failure = refusal;
  if (!refusal) waiting_for_room_.erase(key);
}

// Why it could not be placed. What it takes of its node is noted in `views`.
std::optional<v1::Failure> Fleet::PlaceOne(const RevisionSpec& revision, Instance& instance,
                                           std::vector<NodeView>& views, Moment at) {
  const ResourceRequests requests = RequestsOf(revision.instance);
  const Placement placement = Place({requests.cpu_millis, requests.memory_bytes}, views);
  if (!placement.node) {
    v1::Failure failure;
    failure.set_reason(std::string(kUnschedulable));
    failure.set_message(placement.reason);
    return failure;
  }
  NodeView& view = views[*placement.node];
  view.cpu_used_millis += requests.cpu_millis;
  view.memory_used_bytes += requests.memory_bytes;
  ++view.instances;
  ++view.instances_of_revision;
  instance.cold_start.set_placed_ns(UnixNanos(at.wall));
  instance.spec = std::make_shared<v1::InstanceSpec>(
      MakeInstanceSpec(revision, instance.id, instance.cold_start));
  instance.report.clear_failure();
  ForgetRefusal(instance.revision);
  instances_.Assign(instance, view.name);
  changes_.instances.insert(instance.id);
  changes_.nodes.insert(instance.node);
  NoteEvent(InstanceEvent::Type::kNormal, instance, "Scheduled",
            "Successfully assigned " + revision.instance.namespace_() + "/" + instance.id + " to " +
                instance.node);
  v1::ControllerMessage message;
  *message.mutable_start() = *instance.spec;
  Send(instance.node, std::move(message));
  return std::nullopt;
}

void Fleet::ForgetRefusal(const RevisionKey& key) {
  std::optional<v1::Failure>& failure = revisions_.at(key).last_failure;
  if (failure && (failure->reason() == kUnschedulable || failure->reason() == kConfigError))
    failure.reset();
}

void Fleet::Refuse(Instance& instance, const v1::Failure& failure) {
  const v1::Failure& told = instance.report.failure();
  if (told.reason() == failure.reason() && told.message() == failure.message()) return;
  NoteEvent(InstanceEvent::Type::kWarning, instance,
            failure.reason() == kUnschedulable ? "FailedScheduling" : "Failed", failure.message());
  *instance.report.mutable_failure() = failure;
  changes_.instances.insert(instance.id);
}

}  // namespace updraft::controller
