#include "controller/pods/pod_mirror.h"

#include <memory>
#include <utility>

#include "controller/pods/pod.h"
#include "core/base/log.h"

namespace updraft::controller {

void PodMirror::OnFleetChanges(const Fleet&, const FleetChanges& changes, Moment) {
  instances_.insert(changes.instances.begin(), changes.instances.end());
  nodes_.insert(changes.nodes.begin(), changes.nodes.end());
  events_.insert(events_.end(), changes.events.begin(), changes.events.end());
  if (writing_ || idle()) return;
  writing_ = true;
  // In a turn of its own, after the orders and endpoints of this one have left.
  timer_ = loop_.At(loop_.Now(), [this] { scope_.Spawn(WriteAll()); });
}

void PodMirror::RecordEvents() {
  for (const InstanceEvent& event : std::exchange(events_, {})) {
    const Json pod = {{"apiVersion", "v1"},
                      {"kind", "Pod"},
                      {"metadata",
                       {{"name", event.instance},
                        {"namespace", event.revision.substr(0, event.revision.find('/'))},
                        {"uid", PodUid(event.instance)}}}};
    record_event_(event, pod);
  }
}

http::Task<void> PodMirror::WriteAll() {
  while (!instances_.empty() || !nodes_.empty() || !events_.empty()) {
    RecordEvents();
    if (instances_.empty() && nodes_.empty()) break;
    if (!instances_.empty()) {
      InstanceId id = std::move(instances_.extract(instances_.begin()).value());
      co_await WriteInstance(std::move(id));
    } else {
      NodeName name = std::move(nodes_.extract(nodes_.begin()).value());
      co_await WriteNode(std::move(name));
    }
  }
  writing_ = false;
}

http::Task<void> PodMirror::WriteInstance(InstanceId id) {
  const Instance* instance = fleet_loop_.fleet().instances().Find(id);
  ObjectKey key{"pods", "", id};
  if (instance == nullptr) {
    const auto shown = namespaces_.find(id);
    if (shown == namespaces_.end()) co_return;
    key.ns = shown->second;
    namespaces_.erase(shown);
    co_await Remove(std::move(key));
    co_return;
  }
  key.ns = instance->revision.substr(0, instance->revision.find('/'));
  namespaces_[id] = key.ns;
  const std::shared_ptr<const Json> revision = find_revision_(instance->revision);
  const std::optional<Stored> previous = soft_.Get(key);
  const auto node = fleet_loop_.fleet().nodes().find(instance->node);
  const PodSources sources{
      .revision = revision.get(),
      .previous = previous ? previous->object.get() : nullptr,
      .node = node == fleet_loop_.fleet().nodes().end() ? nullptr : &node->second};
  Json pod = BuildPod(*instance, sources, fleet_loop_.Now().wall);
  co_await Put(std::move(key), std::move(pod));
}

http::Task<void> PodMirror::WriteNode(NodeName name) {
  ObjectKey key{"nodes", "", name};
  const auto node = fleet_loop_.fleet().nodes().find(name);
  if (node == fleet_loop_.fleet().nodes().end()) {
    co_await Remove(std::move(key));
    co_return;
  }
  const std::optional<Stored> previous = soft_.Get(key);
  Json json =
      BuildNode(node->second, previous ? previous->object.get() : nullptr, fleet_loop_.Now().wall);
  co_await Put(std::move(key), std::move(json));
}

http::Task<void> PodMirror::Put(ObjectKey key, Json object) {
  const ObjectKey kept = key;
  const std::optional<Stored> stored = soft_.Get(key);
  Result<Stored> written = Error{};
  if (stored) {
    written = co_await soft_.Update(std::move(key), std::move(object), stored->revision);
  } else {
    written = co_await soft_.Create(std::move(key), std::move(object));
  }
  if (written) co_return;
  // A user's write came in between: once more, on top of it.
  const bool raced = written.error().code == Code::kAborted ||
                     written.error().code == Code::kNotFound ||
                     written.error().code == Code::kAlreadyExists;
  if (!raced)
    Log(Level::kWarn, "mirror_failed", {{"object", kept.name}, {"error", written.error().message}});
  if (raced && kept.resource == "pods") instances_.insert(kept.name);
  if (raced && kept.resource == "nodes") nodes_.insert(kept.name);
}

http::Task<void> PodMirror::Remove(ObjectKey key) {
  const std::string name = key.name;
  const auto removed = co_await soft_.Delete(std::move(key), std::nullopt);
  if (!removed && removed.error().code != Code::kNotFound) {
    Log(Level::kWarn, "mirror_failed", {{"object", name}, {"error", removed.error().message}});
  }
}

}  // namespace updraft::controller
