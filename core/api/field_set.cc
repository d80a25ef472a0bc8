#include "core/api/field_set.h"

#include "core/api/access.h"
#include "core/api/read.h"

namespace updraft::api {
namespace {

constexpr char kSelf[] = ".";

// `combine` of each path's membership, over all paths of `a` and those of `b` that matter.
template <typename Combine>
FieldSet Combined(const FieldSet& a, const FieldSet& b, bool with_b_alone, Combine combine) {
  static const FieldSet none;
  FieldSet result{.member = combine(a.member, b.member)};
  for (const auto& [element, child] : a.children) {
    const auto other = b.children.find(element);
    FieldSet both =
        Combined(child, other == b.children.end() ? none : other->second, with_b_alone, combine);
    if (!both.empty()) result.children.emplace(element, std::move(both));
  }
  if (!with_b_alone) return result;
  for (const auto& [element, child] : b.children) {
    if (!a.children.contains(element)) result.children.emplace(element, child);
  }
  return result;
}

// Clients write these too: a document within a key must not be deeper than keys are.
constexpr ReadLimits kElementLimits = {.bytes_max = 64 << 10, .depth_max = 4};

bool IsElement(const std::string& text) {
  if (text.size() < 2 || text[1] != ':') return false;
  if (text[0] == 'f') return true;
  const Result<Document> read = ReadJson(text.substr(2), kElementLimits);
  if (!read) return false;
  return text[0] == 'v' || (text[0] == 'k' && read->value.is_object()) ||
         (text[0] == 'i' && read->value.is_number_integer());
}

// .name, [key="value"], [="value"], [3]
std::string ElementText(const std::string& element) {
  const std::string rest = element.substr(2);
  if (element[0] == 'f') return "." + rest;
  if (element[0] == 'v') return "[=" + rest + "]";
  if (element[0] == 'i') return "[" + rest + "]";
  std::string keys;
  const Json parsed = Json::parse(rest, nullptr, false);
  for (const auto& [key, value] : parsed.items())
    keys += (keys.empty() ? "" : ",") + key + "=" + ToText(value);
  return "[" + keys + "]";
}

void AddPaths(const FieldSet& set, const std::string& path, std::vector<std::string>& texts) {
  for (const auto& [element, child] : set.children) {
    if (child.member) texts.push_back(path + ElementText(element));
  }
  for (const auto& [element, child] : set.children)
    AddPaths(child, path + ElementText(element), texts);
}

}  // namespace

FieldSet Union(const FieldSet& a, const FieldSet& b) {
  return Combined(a, b, true, [](bool x, bool y) { return x || y; });
}

FieldSet Difference(const FieldSet& a, const FieldSet& b) {
  return Combined(a, b, false, [](bool x, bool y) { return x && !y; });
}

FieldSet Intersection(const FieldSet& a, const FieldSet& b) {
  return Combined(a, b, false, [](bool x, bool y) { return x && y; });
}

std::optional<FieldSet> ReadFieldSet(const Json& fields) {
  if (!fields.is_object()) return std::nullopt;
  FieldSet set;
  for (const auto& [element, child] : fields.items()) {
    if (element == kSelf) {
      set.member = true;
      continue;
    }
    std::optional<FieldSet> inner = ReadFieldSet(child);
    if (!inner || !IsElement(element)) return std::nullopt;
    // Nothing below it: the path itself is meant.
    if (inner->empty()) inner->member = true;
    set.children.emplace(element, *std::move(inner));
  }
  return set;
}

Json WriteFieldSet(const FieldSet& set) {
  Json fields = Json::object();
  for (const auto& [element, child] : set.children) {
    Json inner = WriteFieldSet(child);
    if (child.member && !child.children.empty()) inner[kSelf] = Json::object();
    fields[element] = std::move(inner);
  }
  return fields;
}

std::vector<std::string> PathTexts(const FieldSet& set) {
  std::vector<std::string> texts;
  AddPaths(set, "", texts);
  return texts;
}

}  // namespace updraft::api
