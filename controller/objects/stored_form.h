// How objects lie in the store: their keys and bytes. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controller/objects/object_store.h"

namespace updraft::controller {

// All objects' keys are in here.
inline constexpr std::string_view kObjectsPrefix = "/updraft/objects/";

// PREFIX resource "/" namespace "/" name. kInvalidArgument: a part is empty (but for the namespace)
// or has a slash where none can be.
Result<std::string> ToStoreKey(const ObjectKey& key);
// What the keys of a resource's objects in a namespace begin with; `ns` empty: in all of them.
std::string ToStorePrefix(std::string_view resource, std::string_view ns);
std::optional<ObjectKey> FromStoreKey(std::string_view key);

// The object as JSON text without its resourceVersion, which the store's revision stands for. Text
// that is no UTF-8 (it came from a container's output) is repaired, in `object` too.
// kInvalidArgument: it is not a JSON object.
Result<std::string> ToStoredBytes(Json& object);
std::shared_ptr<Json> FromStoredBytes(std::string_view bytes);  // null: not what we wrote

void SetResourceVersion(Json& object, int64_t revision);

// Whether the two differ in nothing but their resourceVersion.
bool SameContent(const Json& a, const Json& b);

}  // namespace updraft::controller
