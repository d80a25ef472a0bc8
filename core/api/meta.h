// What every object has: reading and writing `metadata`. Pure. Accessors accept any JSON: what is
// absent reads as empty.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"
#include "core/base/clock.h"

namespace updraft::api {

std::string ApiVersionOf(const Json& object);
std::string KindOf(const Json& object);
std::string NameOf(const Json& object);
std::string NamespaceOf(const Json& object);
std::string UidOf(const Json& object);
std::string ResourceVersionOf(const Json& object);
int64_t GenerationOf(const Json& object);
int64_t ObservedGenerationOf(const Json& object);  // status.observedGeneration, 0 when absent
std::optional<WallTime> CreationTimeOf(const Json& object);
bool IsBeingDeleted(const Json& object);  // metadata.deletionTimestamp is set

std::string LabelOf(const Json& object, std::string_view key);
std::string AnnotationOf(const Json& object, std::string_view key);
bool HasLabel(const Json& object, std::string_view key);
bool HasAnnotation(const Json& object, std::string_view key);
void SetLabel(Json& object, std::string_view key, std::string value);
void SetAnnotation(Json& object, std::string_view key, std::string value);

// The first of `keys` that `annotations` has, as Knative resolves its old camelCase aliases.
struct AnnotationValue {
  std::string key;
  std::string value;
};
std::optional<AnnotationValue> FirstAnnotation(const Json& annotations,
                                               std::initializer_list<std::string_view> keys);

struct OwnerReference {
  std::string api_version = {};
  std::string kind = {};
  std::string name = {};
  std::string uid = {};
  bool controller = false;
  bool block_owner_deletion = false;
};

std::vector<OwnerReference> OwnersOf(const Json& object);
std::optional<OwnerReference> ControllerOf(const Json& object);
bool IsControlledBy(const Json& object, const Json& owner);  // by uid
bool IsOwnedBy(const Json& object, std::string_view owner_uid);

// An element of `metadata.ownerReferences` that makes `owner` the controller.
Json ControllerReferenceTo(const Json& owner);

inline constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";
inline constexpr std::string_view kOrphanFinalizer = "orphan";

bool HasFinalizer(const Json& object, std::string_view finalizer);
void AddFinalizer(Json& object, std::string_view finalizer);
void RemoveFinalizer(Json& object, std::string_view finalizer);

}  // namespace updraft::api
