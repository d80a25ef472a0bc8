#include "core/api/diff.h"

#include <algorithm>
#include <set>

#include "core/api/access.h"

namespace updraft::api {
namespace {

// Enough to see what is wrong; a manifest of megabytes must not come back as an error message.
constexpr size_t kTextMax = 8 << 10;

std::string Shown(const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : ToText(value);
  return "\"" + text.substr(0, 512) + "\"";
}

void Compare(const Json* before, const Json* after, const std::string& path, std::string& text) {
  if (text.size() > kTextMax) return;
  if (before != nullptr && after != nullptr) {
    if (*before == *after) return;
    if (before->is_object() && after->is_object()) {
      std::set<std::string> keys;
      for (const auto& [key, value] : before->items()) keys.insert(key);
      for (const auto& [key, value] : after->items()) keys.insert(key);
      for (const std::string& key : keys) {
        const std::string prefix = path.empty() ? "" : path + ".";
        Compare(Find(*before, {key}), Find(*after, {key}), prefix + key, text);
      }
      return;
    }
    if (before->is_array() && after->is_array()) {
      for (size_t i = 0; i < std::max(before->size(), after->size()); ++i) {
        Compare(i < before->size() ? &(*before)[i] : nullptr,
                i < after->size() ? &(*after)[i] : nullptr, path + "[" + std::to_string(i) + "]",
                text);
      }
      return;
    }
  }
  if (before == nullptr && after == nullptr) return;
  text += path + ":\n";
  if (before != nullptr) text += "\t-: " + Shown(*before) + "\n";
  if (after != nullptr) text += "\t+: " + Shown(*after) + "\n";
}

}  // namespace

std::string DiffText(const Json& before, const Json& after) {
  std::string text;
  Compare(&before, &after, "", text);
  return text;
}

}  // namespace updraft::api
