#include "controller/reconcile/event_recorder.h"

#include <cinttypes>
#include <cstdio>
#include <vector>

#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

std::string Hex(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, number);
  return text;
}

const char* TypeName(RecordEvent::Type type) {
  return type == RecordEvent::Type::kNormal ? "Normal" : "Warning";
}

// Cut at a character's beginning, so that the text stays UTF-8.
std::string Shorten(std::string text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

// Cluster-scoped objects' events live in the namespace "default", as in Kubernetes.
std::string EventNamespace(const Json& about) {
  std::string ns = api::NamespaceOf(about);
  return ns.empty() ? "default" : ns;
}

}  // namespace

void EventRecorder::Record(const Json& about, const RecordEvent& event,
                           std::string_view component) {
  Prune();
  if (gone_.contains(EventNamespace(about))) return;
  const std::string identity = api::UidOf(about) + "\n" + api::KindOf(about) + "/" +
                               api::NamespaceOf(about) + "/" + api::NameOf(about) + "\n" +
                               TypeName(event.type) + "\n" + event.reason + "\n" + event.message;
  const auto known = ids_.find(identity);
  if (known != ids_.end()) {
    Json& object = entries_.at(known->second).object;
    object["count"] = api::IntAt(object, {"count"}) + 1;
    Touch(known->second);
    return;
  }
  const Id id = ++last_id_;
  Entry& entry = entries_[id];
  entry.identity = identity;
  entry.object = NewEvent(about, event, component);
  entry.key = KeyOf(entry.object, resource::kEvents);
  ids_[identity] = id;
  Touch(id);
  while (ids_.size() > limits_.events_max) Remove(by_age_.begin()->second);
}

Json EventRecorder::NewEvent(const Json& about, const RecordEvent& event,
                             std::string_view component) const {
  const std::string now = api::FormatTimestamp(clock_.Wall());
  Json involved = {{"apiVersion", api::ApiVersionOf(about)},
                   {"kind", api::KindOf(about)},
                   {"name", api::NameOf(about)},
                   {"uid", api::UidOf(about)}};
  if (!api::NamespaceOf(about).empty()) involved["namespace"] = api::NamespaceOf(about);
  if (!api::ResourceVersionOf(about).empty())
    involved["resourceVersion"] = api::ResourceVersionOf(about);
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata",
           {{"name", api::NameOf(about) + "." + Hex(random_())},
            {"namespace", EventNamespace(about)},
            {"uid", Hex(random_()) + Hex(random_())},
            {"creationTimestamp", now}}},
          {"involvedObject", std::move(involved)},
          {"type", TypeName(event.type)},
          {"reason", event.reason},
          {"message", Shorten(event.message, limits_.message_bytes_max)},
          {"count", 1},
          {"firstTimestamp", now},
          {"lastTimestamp", now},
          {"eventTime", nullptr},
          {"source", {{"component", component}}},
          {"reportingComponent", component},
          {"reportingInstance", ""}};
}

void EventRecorder::Touch(Id id) {
  Entry& entry = entries_.at(id);
  by_age_.erase({entry.last, id});
  entry.last = clock_.Wall();
  by_age_.emplace(entry.last, id);
  entry.object["lastTimestamp"] = api::FormatTimestamp(entry.last);
  WriteBack(id);
}

void EventRecorder::Prune() {
  while (!by_age_.empty() && by_age_.begin()->first + limits_.age_max <= clock_.Wall()) {
    Remove(by_age_.begin()->second);
  }
  std::erase_if(
      gone_, [this](const auto& entry) { return entry.second + limits_.age_max <= clock_.Wall(); });
}

void EventRecorder::ForgetNamespace(std::string_view ns) {
  gone_[std::string(ns)] = clock_.Wall();
  std::vector<Id> gone;
  for (const auto& [identity, id] : ids_) {
    if (entries_.at(id).key.ns == ns) gone.push_back(id);
  }
  for (const Id id : gone) Remove(id);
  // And those that others have written.
  std::set<ObjectKey> ours;
  for (const auto& [id, entry] : entries_) ours.insert(entry.key);
  for (const std::shared_ptr<const Json>& event : soft_.List(resource::kEvents, ns).objects) {
    ObjectKey key = KeyOf(*event, resource::kEvents);
    if (!ours.contains(key)) scope_.Spawn(Drop(std::move(key)));
  }
}

http::Task<void> EventRecorder::Drop(ObjectKey key) {
  const std::string name = key.name;
  http::Task<Result<Stored>> deleting = soft_.Delete(std::move(key), std::nullopt);
  const Result<Stored> deleted = co_await deleting;
  if (!deleted && deleted.error().code != Code::kNotFound)
    Log(Level::kWarn, "event_not_removed", {{"event", name}, {"error", deleted.error().message}});
}

void EventRecorder::Remove(Id id) {
  Entry& entry = entries_.at(id);
  by_age_.erase({entry.last, id});
  ids_.erase(entry.identity);
  entry.removed = true;
  WriteBack(id);
}

void EventRecorder::WriteBack(Id id) {
  Entry& entry = entries_.at(id);
  entry.dirty = true;
  if (std::exchange(entry.writing, true)) return;
  scope_.Spawn(Write(id));
}

http::Task<void> EventRecorder::Write(Id id) {
  while (std::exchange(entries_.at(id).dirty, false)) {
    http::Task<Status> once = WriteOnce(id);
    const Status written = co_await once;
    if (!written) Log(Level::kWarn, "event_not_recorded", {{"error", written.error().message}});
  }
  entries_.at(id).writing = false;
  if (entries_.at(id).removed) entries_.erase(id);
}

http::Task<Status> EventRecorder::WriteOnce(Id id) {
  const Entry& entry = entries_.at(id);
  const std::optional<Stored> stored = soft_.Get(entry.key);
  const ObjectKey key = entry.key;
  if (entry.removed && !stored) co_return Ok();
  http::Task<Result<Stored>> write =
      entry.removed ? soft_.Delete(key, std::nullopt)
      : stored      ? soft_.Update(key, entry.object, stored->revision)
                    : soft_.Create(key, entry.object);
  const Result<Stored> result = co_await write;
  if (!result) co_return result.error();
  co_return Ok();
}

}  // namespace updraft::controller
