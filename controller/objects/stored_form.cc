#include "controller/objects/stored_form.h"

namespace updraft::controller {

Result<std::string> ToStoreKey(const ObjectKey& key) {
  const auto has_slash = [](const std::string& part) {
    return part.find('/') != std::string::npos;
  };
  if (key.resource.empty() || key.name.empty() || has_slash(key.ns) || has_slash(key.name)) {
    return Error{Code::kInvalidArgument,
                 "no valid key: " + key.resource + " " + key.ns + " " + key.name};
  }
  return std::string(kObjectsPrefix) + key.resource + "/" + key.ns + "/" + key.name;
}

std::string ToStorePrefix(std::string_view resource, std::string_view ns) {
  std::string prefix = std::string(kObjectsPrefix).append(resource) + "/";
  if (!ns.empty()) prefix.append(ns) += '/';
  return prefix;
}

std::optional<ObjectKey> FromStoreKey(std::string_view key) {
  if (!key.starts_with(kObjectsPrefix)) return std::nullopt;
  key.remove_prefix(kObjectsPrefix.size());
  const size_t before_name = key.rfind('/');
  if (before_name == std::string_view::npos || before_name == 0) return std::nullopt;
  const size_t before_ns = key.rfind('/', before_name - 1);
  if (before_ns == std::string_view::npos) return std::nullopt;
  return ObjectKey{.resource = std::string(key.substr(0, before_ns)),
                   .ns = std::string(key.substr(before_ns + 1, before_name - before_ns - 1)),
                   .name = std::string(key.substr(before_name + 1))};
}

Result<std::string> ToStoredBytes(Json& object) {
  if (!object.is_object()) return Error{Code::kInvalidArgument, "not a JSON object"};
  Json& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  metadata.erase("resourceVersion");
  // Anything that is no UTF-8 becomes U+FFFD; parsing the result again is only needed if that
  // happened.
  std::string bytes = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (bytes.find("\xEF\xBF\xBD") != std::string::npos) object = Json::parse(bytes, nullptr, false);
  return bytes;
}

std::shared_ptr<Json> FromStoredBytes(std::string_view bytes) {
  auto object = std::make_shared<Json>(Json::parse(bytes, nullptr, /*allow_exceptions=*/false));
  return object->is_object() ? object : nullptr;
}

void SetResourceVersion(Json& object, int64_t revision) {
  object["metadata"]["resourceVersion"] = std::to_string(revision);
}

bool SameContent(const Json& a, const Json& b) {
  if (!a.is_object() || !b.is_object()) return a == b;
  const auto without_version = [](const Json& object) {
    Json copy = object.value("metadata", Json::object());
    if (copy.is_object()) copy.erase("resourceVersion");
    return copy;
  };
  if (without_version(a) != without_version(b)) return false;
  // The rest, without copying it.
  const size_t a_rest = a.size() - a.count("metadata");
  if (a_rest != b.size() - b.count("metadata")) return false;
  for (const auto& [name, value] : a.items()) {
    if (name == "metadata") continue;
    const auto other = b.find(name);
    if (other == b.end() || *other != value) return false;
  }
  return true;
}

}  // namespace updraft::controller
