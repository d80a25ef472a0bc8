#include "core/api/diff.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "core/api/access.h"

namespace updraft::api {
namespace {

// Enough to see what is wrong; a manifest of megabytes must not come back as an error message.
constexpr size_t kTextMax = 8 << 10;

std::string Cut(const std::string& text) { return "\"" + text.substr(0, 512) + "\""; }

bool IsTextMap(const Json& value) {
  return value.is_object() &&
         std::ranges::all_of(value, [](const Json& item) { return item.is_string(); });
}

// A value as Go prints it. Of what Go holds in structs the JSON is shown: their fields without a value say nothing.
std::string Printed(const Json& value) {
  std::string text;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array() && std::ranges::none_of(value, &Json::is_structured)) {
    for (const Json& item : value) text += (text.empty() ? "" : " ") + Printed(item);
    return "[" + text + "]";
  }
  return ToText(value);
}

std::string PrintedMap(const Json& map) {
  std::string text;
  for (const auto& [key, value] : map.items())
    text += (text.empty() ? "" : " ") + key + ":" + Printed(value);
  return "map[" + text + "]";
}

std::string Shown(const Json& value) { return Cut(Printed(value)); }

// The revision's own fields, which are not of its PodSpec. Go holds them by pointer.
constexpr std::string_view kOwn[] = {"containerConcurrency", "timeoutSeconds",
                                     "responseStartTimeoutSeconds", "idleTimeoutSeconds"};
constexpr std::string_view kFreeMaps[] = {"labels", "annotations", "nodeSelector", "limits",
                                          "requests"};
constexpr std::string_view kOtherPointers[] = {"enableServiceLinks", "automountServiceAccountToken"};
constexpr std::string_view kHandlers[] = {"httpGet", "tcpSocket", "exec", "grpc"};

template <size_t n>
bool Among(const std::string_view (&names)[n], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

// "httpGet" is HTTPGet, "dnsPolicy" DNSPolicy; of most fields the first letter alone is large.
std::string GoName(std::string_view field) {
  for (const std::string_view start : {"http", "dns", "tcp", "grpc", "uid"}) {
    if (!field.starts_with(start)) continue;
    std::string name(field);
    for (size_t i = 0; i < start.size(); ++i)
      name[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[i])));
    return name;
  }
  std::string name(field);
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

class Comparison {
 public:
  explicit Comparison(std::string_view root) : root_(root) {}

  void Compare(const Json* before, const Json* after, const std::string& path,
               std::string_view field) {
    if (text_.size() > kTextMax || (before == nullptr && after == nullptr)) return;
    if (before != nullptr && after != nullptr) {
      if (*before == *after) return;
      if (before->is_object() && after->is_object())
        return CompareObjects(*before, *after, path, field);
      if (before->is_array() && after->is_array()) return CompareArrays(*before, *after, path);
    }
    if (field.empty()) return AddItem(before, after, path);
    const bool both = before != nullptr && after != nullptr;
    const bool pointer = Among(kOwn, field) || Among(kOtherPointers, field);
    text_ += (pointer && both ? "*" : "") + path + ":\n";
    const Json& there = before != nullptr ? *before : *after;
    text_ += "\t-: " + Side(before, there, field, pointer) + "\n";
    text_ += "\t+: " + Side(after, there, field, pointer) + "\n";
  }

  std::string Take() { return std::move(text_); }

 private:
  // One side of a change; `there` is the other one where `side` is nothing.
  static std::string Side(const Json* side, const Json& there, std::string_view field, bool pointer) {
    if (Among(kFreeMaps, field) && IsTextMap(there)) return Cut(PrintedMap(side != nullptr ? *side : Json::object()));
    if (side != nullptr) return Shown(*side);
    if (there.is_string()) return "\"\"";
    if (there.is_array()) return "\"[]\"";
    if (!pointer && there.is_number()) return "\"0\"";
    if (!pointer && there.is_boolean()) return "\"false\"";
    return pointer ? "\"<nil>\"" : "\"nil\"";
  }

  // Of a list's items, those that are there alone are told.
  void AddItem(const Json* before, const Json* after, const std::string& path) {
    text_ += path + ":\n";
    if (before != nullptr) text_ += "\t-: " + Shown(*before) + "\n";
    if (after != nullptr) text_ += "\t+: " + Shown(*after) + "\n";
  }

  void CompareObjects(const Json& before, const Json& after, const std::string& path,
                      std::string_view field) {
    std::set<std::string> keys;
    for (const auto& [key, value] : before.items()) keys.insert(key);
    for (const auto& [key, value] : after.items()) keys.insert(key);
    for (const std::string& key : keys) {
      const std::string below =
          Among(kFreeMaps, field) ? path + "[" + Shown(Json(key)) + "]" : path + Step(path, key);
      Compare(Find(before, {key}), Find(after, {key}), below, key);
    }
  }

  void CompareArrays(const Json& before, const Json& after, const std::string& path) {
    for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      Compare(i < before.size() ? &before[i] : nullptr, i < after.size() ? &after[i] : nullptr,
              path + "[" + std::to_string(i) + "]", "");
    }
  }

  std::string Step(const std::string& path, const std::string& key) const {
    const bool in_spec = root_ == kRevisionSpecRoot ? path == root_ : path == root_ + ".Spec";
    if (in_spec && !Among(kOwn, key)) return ".PodSpec." + GoName(key);
    if (path == root_ && key == "metadata") return ".ObjectMeta";
    if (path.ends_with("Probe") && Among(kHandlers, key)) return ".ProbeHandler." + GoName(key);
    return "." + GoName(key);
  }

  const std::string root_;
  std::string text_;
};

}  // namespace

std::string DiffText(const Json& before, const Json& after, std::string_view root) {
  Comparison comparison(root);
  comparison.Compare(&before, &after, std::string(root), "");
  return comparison.Take();
}

}  // namespace updraft::api
