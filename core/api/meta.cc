#include "core/api/meta.h"

#include <algorithm>

#include "core/api/access.h"
#include "core/api/timestamp.h"

namespace updraft::api {
namespace {

std::string Entry(const Json& object, std::string_view map, std::string_view key) {
  return StringAt(object, {"metadata", map, key});
}

}  // namespace

std::string ApiVersionOf(const Json& object) { return StringAt(object, {"apiVersion"}); }
std::string KindOf(const Json& object) { return StringAt(object, {"kind"}); }
std::string NameOf(const Json& object) { return StringAt(object, {"metadata", "name"}); }
std::string NamespaceOf(const Json& object) { return StringAt(object, {"metadata", "namespace"}); }
std::string UidOf(const Json& object) { return StringAt(object, {"metadata", "uid"}); }
std::string ResourceVersionOf(const Json& object) {
  return StringAt(object, {"metadata", "resourceVersion"});
}
int64_t GenerationOf(const Json& object) { return IntAt(object, {"metadata", "generation"}); }
int64_t ObservedGenerationOf(const Json& object) {
  return IntAt(object, {"status", "observedGeneration"});
}

std::optional<WallTime> CreationTimeOf(const Json& object) {
  return ParseTimestamp(StringAt(object, {"metadata", "creationTimestamp"}));
}

bool IsBeingDeleted(const Json& object) {
  return Find(object, {"metadata", "deletionTimestamp"}) != nullptr;
}

std::string LabelOf(const Json& object, std::string_view key) {
  return Entry(object, "labels", key);
}
std::string AnnotationOf(const Json& object, std::string_view key) {
  return Entry(object, "annotations", key);
}

bool HasLabel(const Json& object, std::string_view key) {
  return Find(object, {"metadata", "labels", key}) != nullptr;
}

bool HasAnnotation(const Json& object, std::string_view key) {
  return Find(object, {"metadata", "annotations", key}) != nullptr;
}

void SetLabel(Json& object, std::string_view key, std::string value) {
  EnsureObject(object, {"metadata", "labels"})[std::string(key)] = std::move(value);
}

void SetAnnotation(Json& object, std::string_view key, std::string value) {
  EnsureObject(object, {"metadata", "annotations"})[std::string(key)] = std::move(value);
}

std::optional<AnnotationValue> FirstAnnotation(const Json& annotations,
                                               std::initializer_list<std::string_view> keys) {
  for (std::string_view key : keys) {
    const Json* value = Find(annotations, {key});
    if (value != nullptr && value->is_string())
      return AnnotationValue{std::string(key), value->get<std::string>()};
  }
  return std::nullopt;
}

std::vector<OwnerReference> OwnersOf(const Json& object) {
  std::vector<OwnerReference> owners;
  for (const Json& reference : ArrayAt(object, {"metadata", "ownerReferences"})) {
    owners.push_back({.api_version = StringAt(reference, {"apiVersion"}),
                      .kind = StringAt(reference, {"kind"}),
                      .name = StringAt(reference, {"name"}),
                      .uid = StringAt(reference, {"uid"}),
                      .controller = BoolAt(reference, {"controller"}),
                      .block_owner_deletion = BoolAt(reference, {"blockOwnerDeletion"})});
  }
  return owners;
}

std::optional<OwnerReference> ControllerOf(const Json& object) {
  for (OwnerReference& owner : OwnersOf(object)) {
    if (owner.controller) return std::move(owner);
  }
  return std::nullopt;
}

bool IsControlledBy(const Json& object, const Json& owner) {
  const std::optional<OwnerReference> controller = ControllerOf(object);
  return controller && !controller->uid.empty() && controller->uid == UidOf(owner);
}

bool IsOwnedBy(const Json& object, std::string_view owner_uid) {
  return std::ranges::any_of(OwnersOf(object),
                             [owner_uid](const OwnerReference& o) { return o.uid == owner_uid; });
}

Json ControllerReferenceTo(const Json& owner) {
  Json reference = Json::object();
  reference["apiVersion"] = ApiVersionOf(owner);
  reference["kind"] = KindOf(owner);
  reference["name"] = NameOf(owner);
  reference["uid"] = UidOf(owner);
  reference["controller"] = true;
  reference["blockOwnerDeletion"] = true;
  return reference;
}

bool HasFinalizer(const Json& object, std::string_view finalizer) {
  return std::ranges::any_of(ArrayAt(object, {"metadata", "finalizers"}),
                             [finalizer](const Json& f) {
                               return f.is_string() && f.get_ref<const std::string&>() == finalizer;
                             });
}

void AddFinalizer(Json& object, std::string_view finalizer) {
  if (HasFinalizer(object, finalizer)) return;
  Json& list = EnsureObject(object, {"metadata"})["finalizers"];
  if (!list.is_array()) list = Json::array();
  list.push_back(std::string(finalizer));
}

void RemoveFinalizer(Json& object, std::string_view finalizer) {
  Json* list = Find(object, {"metadata", "finalizers"});
  if (list == nullptr || !list->is_array()) return;
  Json kept = Json::array();
  for (Json& entry : *list) {
    if (!entry.is_string() || entry.get_ref<const std::string&>() != finalizer)
      kept.push_back(std::move(entry));
  }
  if (kept.empty()) {
    Erase(object, {"metadata", "finalizers"});
  } else {
    *list = std::move(kept);
  }
}

}  // namespace updraft::api
