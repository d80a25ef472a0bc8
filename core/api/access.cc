#include "core/api/access.h"

namespace updraft::api {
namespace {

template <typename J>
J* FindIn(J& document, Path path) {
  J* at = &document;
  for (std::string_view member : path) {
    if (!at->is_object()) return nullptr;
    auto found = at->find(member);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at->is_null() ? nullptr : at;
}

}  // namespace

const Json* Find(const Json& document, Path path) { return FindIn(document, path); }
Json* Find(Json& document, Path path) { return FindIn(document, path); }

std::string StringAt(const Json& document, Path path, std::string_view fallback) {
  const Json* found = Find(document, path);
  if (found == nullptr || !found->is_string()) return std::string(fallback);
  return found->get_ref<const std::string&>();
}

int64_t IntAt(const Json& document, Path path, int64_t fallback) {
  const Json* found = Find(document, path);
  if (found == nullptr || !found->is_number_integer()) return fallback;
  return found->get<int64_t>();
}

bool BoolAt(const Json& document, Path path, bool fallback) {
  const Json* found = Find(document, path);
  if (found == nullptr || !found->is_boolean()) return fallback;
  return found->get<bool>();
}

const Json& ObjectAt(const Json& document, Path path) {
  static const Json empty = Json::object();
  const Json* found = Find(document, path);
  return found != nullptr && found->is_object() ? *found : empty;
}

const Json& ArrayAt(const Json& document, Path path) {
  static const Json empty = Json::array();
  const Json* found = Find(document, path);
  return found != nullptr && found->is_array() ? *found : empty;
}

Json& EnsureObject(Json& document, Path path) {
  Json* at = &document;
  if (!at->is_object()) *at = Json::object();
  for (std::string_view member : path) {
    at = &(*at)[std::string(member)];
    if (!at->is_object()) *at = Json::object();
  }
  return *at;
}

void Erase(Json& document, Path path) {
  if (path.size() == 0) return;
  Json* at = &document;
  const std::string_view* last = path.end() - 1;
  for (const std::string_view* member = path.begin(); member != last; ++member) {
    at = Find(*at, {*member});
    if (at == nullptr) return;
  }
  if (at->is_object()) at->erase(std::string(*last));
}

std::string ToText(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace updraft::api
