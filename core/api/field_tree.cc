// Documents as trees of fields: which paths a value has by its schema, and how two values of one
// schema compare and merge.
#include <set>

#include "core/api/access.h"
#include "core/api/field_set.h"

namespace updraft::api {
namespace {

using Type = Schema::Type;

enum class Shape {
  kLeaf,
  kObject,  // members are told apart
  kList     // elements are told apart, by key or by value
};

bool IsUntyped(const Schema* schema) {
  return schema == nullptr || schema->type == Type::kAny || schema->type == Type::kAnyObject;
}

// Where nothing is known of it, an object's members are told apart and a list is one value.
Shape ShapeOf(const Schema* schema, const Json& value) {
  if (schema != nullptr && schema->atomic) return Shape::kLeaf;
  if (IsUntyped(schema)) return value.is_object() ? Shape::kObject : Shape::kLeaf;
  const bool keyed = schema->type == Type::kArray && (!schema->merge_key.empty() || schema->is_set);
  if (keyed && value.is_array()) return Shape::kList;
  const bool members = schema->type == Type::kObject || schema->type == Type::kMap;
  return members && value.is_object() ? Shape::kObject : Shape::kLeaf;
}

bool IsNamed(const Schema* schema, const std::string& member) {
  return !IsUntyped(schema) && schema->type == Type::kObject &&
         schema->FindField(member) != nullptr;
}

const Schema* ItemsOf(const Schema* schema) {
  return schema == nullptr ? nullptr : schema->items.get();
}

std::string ElementOf(const Schema& schema, const Json& item) {
  if (schema.is_set) return "v:" + ToText(item);
  Json key = Json::object();
  if (const Json* value = Find(item, {schema.merge_key})) key[schema.merge_key] = *value;
  return "k:" + ToText(key);
}

// The schema of what a path element leads to.
const Schema* Below(const Schema* schema, const std::string& element) {
  return element[0] == 'f' ? MemberSchema(schema, element.substr(2)) : ItemsOf(schema);
}

void Collect(const Schema* schema, const Json& value, FieldSet& set) {
  const auto add = [&set](std::string element, FieldSet child) {
    if (!child.empty()) set.children[std::move(element)] = std::move(child);
  };
  switch (ShapeOf(schema, value)) {
    case Shape::kLeaf:
      set.member = true;
      return;
    case Shape::kObject:
      for (const auto& [name, inner] : value.items()) {
        FieldSet child;
        Collect(MemberSchema(schema, name), inner, child);
        const bool hollow = inner.is_null() || (inner.is_object() && inner.empty());
        child.member = child.member || hollow || !IsNamed(schema, name);
        add("f:" + name, std::move(child));
      }
      return;
    case Shape::kList:
      for (const Json& item : value) {
        FieldSet child;
        Collect(ItemsOf(schema), item, child);
        child.member = true;
        add(ElementOf(*schema, item), std::move(child));
      }
  }
}

// ---- comparing

using Parts = std::map<std::string, const Json*>;

// What the value consists of, by path element.
Parts PartsOf(const Schema* schema, const Json* value) {
  Parts parts;
  if (value == nullptr) return parts;
  if (value->is_object()) {
    for (const auto& [name, inner] : value->items()) parts["f:" + name] = &inner;
  } else if (value->is_array()) {
    for (const Json& item : *value) parts[ElementOf(*schema, item)] = &item;
  }
  return parts;
}

const Json* At(const Parts& parts, const std::string& element) {
  const auto found = parts.find(element);
  return found == parts.end() ? nullptr : found->second;
}

FieldChanges Compare(const Schema* schema, const Json* before, const Json* after) {
  FieldChanges changes;
  const Shape shape = ShapeOf(schema, before != nullptr ? *before : *after);
  const bool both = before != nullptr && after != nullptr;
  const bool hollow =
      (before == nullptr || before->empty()) && (after == nullptr || after->empty());
  if (shape == Shape::kLeaf || hollow || (both && ShapeOf(schema, *after) != shape)) {
    changes.added.member = before == nullptr;
    changes.removed.member = after == nullptr;
    changes.modified.member = both && *before != *after;
    return changes;
  }
  const Parts old_parts = PartsOf(schema, before);
  const Parts new_parts = PartsOf(schema, after);
  std::set<std::string> elements;
  for (const auto& [element, part] : old_parts) elements.insert(element);
  for (const auto& [element, part] : new_parts) elements.insert(element);
  for (const std::string& element : elements) {
    FieldChanges inner =
        Compare(Below(schema, element), At(old_parts, element), At(new_parts, element));
    for (FieldSet FieldChanges::*kind :
         {&FieldChanges::added, &FieldChanges::removed, &FieldChanges::modified}) {
      if (!(inner.*kind).empty()) (changes.*kind).children[element] = std::move(inner.*kind);
    }
  }
  changes.added.member = before == nullptr;
  changes.removed.member = after == nullptr;
  return changes;
}

// ---- merging

Json Merge(const Schema* schema, const Json* live, const Json& applied);

// Walks two lists of one kind at once, as kube-apiserver does: what both have is in the order of
// the applied one, what only `live` has comes as early as it can.
class ListMerger {
 public:
  ListMerger(const Schema& schema, const Json& live, const Json& applied)
      : schema_(schema), live_(live), applied_(applied), live_parts_(PartsOf(&schema, &live)) {
    for (const Json& item : applied) {
      const std::string element = ElementOf(schema, item);
      if (wanted_.insert(element).second && live_parts_.contains(element))
        shared_.push_back(element);
    }
  }

  Json Run() {
    while (at_live_ < live_.size() || at_applied_ < applied_.size()) {
      if (at_live_ < live_.size() && StepLive()) continue;
      if (at_applied_ < applied_.size()) TakeApplied();
    }
    return std::move(merged_);
  }

 private:
  // False: an applied element is next.
  bool StepLive() {
    const std::string element = ElementOf(schema_, live_[at_live_]);
    if (!wanted_.contains(element)) {
      merged_.push_back(live_[at_live_++]);
      return true;
    }
    // It comes, or came, when the applied list says so.
    const bool is_next = at_shared_ < shared_.size() && element == shared_[at_shared_];
    if (is_next && !done_.contains(element)) return false;
    ++at_live_;
    return true;
  }

  void TakeApplied() {
    const Json& item = applied_[at_applied_++];
    const std::string element = ElementOf(schema_, item);
    if (!done_.insert(element).second) return;
    merged_.push_back(Merge(ItemsOf(&schema_), At(live_parts_, element), item));
    if (at_shared_ < shared_.size() && element == shared_[at_shared_]) ++at_shared_;
  }

  const Schema& schema_;
  const Json& live_;
  const Json& applied_;
  const Parts live_parts_;
  std::set<std::string> wanted_;
  std::vector<std::string> shared_;  // in the order of `applied`
  std::set<std::string> done_;       // of the applied
  size_t at_live_ = 0;
  size_t at_applied_ = 0;
  size_t at_shared_ = 0;
  Json merged_ = Json::array();
};

Json Merge(const Schema* schema, const Json* live, const Json& applied) {
  const Shape shape = ShapeOf(schema, applied);
  if (live == nullptr || shape == Shape::kLeaf || ShapeOf(schema, *live) != shape) return applied;
  if (shape == Shape::kList) return ListMerger(*schema, *live, applied).Run();
  Json merged = *live;
  for (const auto& [name, value] : applied.items())
    merged[name] = Merge(MemberSchema(schema, name), Find(*live, {name}), value);
  return merged;
}

// ---- removing

// nullopt: nothing is left of it.
std::optional<Json> Without(const Schema* schema, Json value, const FieldSet& set) {
  const Shape shape = ShapeOf(schema, value);
  if (shape == Shape::kLeaf || set.children.empty() || value.empty()) return value;
  Json left = shape == Shape::kList ? Json::array() : Json::object();
  for (auto& [name, inner] : value.items()) {
    const std::string element = shape == Shape::kList ? ElementOf(*schema, inner) : "f:" + name;
    std::optional<Json> kept;
    const auto named = set.children.find(element);
    if (named == set.children.end()) {
      kept = std::move(inner);
    } else if (!named->second.member) {
      kept = Without(Below(schema, element), std::move(inner), named->second);
    }
    if (!kept) continue;
    if (shape == Shape::kList) {
      left.push_back(*std::move(kept));
    } else {
      left[name] = *std::move(kept);
    }
  }
  if (left.empty()) return std::nullopt;
  return left;
}

void NameParents(const Schema* schema, FieldSet& set) {
  for (auto& [element, child] : set.children) {
    const Schema* below = Below(schema, element);
    if (element[0] == 'f' && IsNamed(schema, element.substr(2))) {
      const bool shared = below->type == Type::kMap && !below->atomic;
      child.member = !shared && (child.member || !child.children.empty());
    }
    NameParents(below, child);
  }
  std::erase_if(set.children, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace

FieldSet FieldsOf(const Schema& schema, const Json& value) {
  FieldSet set;
  Collect(&schema, value, set);
  return set;
}

FieldChanges CompareFields(const Schema& schema, const Json& before, const Json& after) {
  FieldChanges changes = Compare(&schema, &before, &after);
  return changes;
}

Json MergeFields(const Schema& schema, const Json& live, const Json& applied) {
  return Merge(&schema, &live, applied);
}

Json RemoveFields(const Schema& schema, Json value, const FieldSet& set) {
  std::optional<Json> left = Without(&schema, std::move(value), set);
  return left ? *std::move(left) : Json::object();
}

FieldSet WithNamedParents(const Schema& schema, FieldSet set) {
  NameParents(&schema, set);
  return set;
}

}  // namespace updraft::api
