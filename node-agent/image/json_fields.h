// Reads fields of JSON that strangers wrote: what is missing or of the wrong type reads as empty.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace updraft::node_agent {

// A discarded value (is_discarded()) where the text is not JSON.
inline nlohmann::json ParseJson(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

// nullptr if `object` is no object or has no such field. The object must outlive the pointer.
inline const nlohmann::json* FieldOf(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(name);
  return it == object.end() ? nullptr : &*it;
}

inline std::string TextOf(const nlohmann::json& object, const char* name) {
  const nlohmann::json* field = FieldOf(object, name);
  return field != nullptr && field->is_string() ? field->get<std::string>() : std::string();
}

inline int64_t IntegerOf(const nlohmann::json& object, const char* name) {
  const nlohmann::json* field = FieldOf(object, name);
  return field != nullptr && field->is_number_integer() ? field->get<int64_t>() : 0;
}

inline std::vector<std::string> TextsOf(const nlohmann::json& object, const char* name) {
  std::vector<std::string> texts;
  const nlohmann::json* field = FieldOf(object, name);
  if (field == nullptr || !field->is_array()) return texts;
  for (const auto& item : *field) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

inline std::map<std::string, std::string> TextMapOf(const nlohmann::json& object,
                                                    const char* name) {
  std::map<std::string, std::string> map;
  const nlohmann::json* field = FieldOf(object, name);
  if (field == nullptr || !field->is_object()) return map;
  for (const auto& [key, value] : field->items()) {
    if (value.is_string()) map.emplace(key, value.get<std::string>());
  }
  return map;
}

// The keys of an object whose values say nothing: {"8080/tcp": {}}.
inline std::vector<std::string> KeysOf(const nlohmann::json& object, const char* name) {
  std::vector<std::string> keys;
  const nlohmann::json* field = FieldOf(object, name);
  if (field == nullptr || !field->is_object()) return keys;
  for (const auto& [key, value] : field->items()) keys.push_back(key);
  return keys;
}

}  // namespace updraft::node_agent
