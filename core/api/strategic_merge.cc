#include <algorithm>

#include "core/api/access.h"
#include "core/api/invalid_argument.h"
#include "core/api/patch.h"

namespace updraft::api {
namespace {

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";
constexpr std::string_view kOrder = "$setElementOrder/";
constexpr std::string_view kRetainKeys = "$retainKeys";

// Elements are looked for one by one, so that long lists on both sides would take for ever.
constexpr size_t kElementsMax = 5'000;

Json* FindByKey(Json& list, const std::string& merge_key, const Json& value) {
  for (Json& element : list) {
    const Json* key = Find(element, {merge_key});
    if (key != nullptr && *key == value) return &element;
  }
  return nullptr;
}

void AddMissing(Json& set, const Json& more) {
  for (const Json& value : more) {
    if (std::find(set.begin(), set.end(), value) == set.end()) set.push_back(value);
  }
}

class StrategicMerger {
 public:
  Result<Json> Merge(const Schema* schema, Json target, const Json& patch) {
    if (patch.is_object()) return MergeObject(schema, std::move(target), patch);
    if (patch.is_array()) return MergeList(schema, std::move(target), patch);
    return patch;
  }

 private:
  Result<Json> MergeObject(const Schema* schema, Json target, const Json& patch) {
    const std::string directive = StringAt(patch, {kDirective});
    if (directive == "delete") return Json::object();
    if (directive == "replace") return WithoutDirectives(patch);
    if (!directive.empty() && directive != "merge")
      return InvalidArgument("Unknown patch type found: " + directive);
    if (!target.is_object()) target = Json::object();
    if (Status kept = RetainKeys(target, patch); !kept) return kept.error();
    for (const auto& [key, value] : patch.items()) {
      if (key.starts_with('$')) continue;
      if (value.is_null()) {
        target.erase(key);
        continue;
      }
      const auto found = target.find(key);
      Json old = found == target.end() ? Json() : std::move(*found);
      Result<Json> merged = Merge(MemberSchema(schema, key), std::move(old), value);
      if (!merged) return merged.error();
      target[key] = *std::move(merged);
    }
    // After the merge: a removed element may be named by the patch too, and the order covers all.
    for (const auto& [key, value] : patch.items()) {
      if (key.starts_with(kDeleteFromList))
        DeleteFromList(target, key.substr(kDeleteFromList.size()), value);
      if (key.starts_with(kOrder)) Order(schema, target, key.substr(kOrder.size()), value);
    }
    return target;
  }

  static Status RetainKeys(Json& target, const Json& patch) {
    const Json* keys = Find(patch, {kRetainKeys});
    if (keys == nullptr) return Ok();
    if (!keys->is_array()) return InvalidArgument("$retainKeys is not a list");
    Json kept = Json::object();
    for (const Json& key : *keys) {
      if (!key.is_string()) return InvalidArgument("$retainKeys holds no names");
      const auto found = target.find(key.get_ref<const std::string&>());
      if (found != target.end()) kept[key.get<std::string>()] = std::move(*found);
    }
    target = std::move(kept);
    return Ok();
  }

  Result<Json> MergeList(const Schema* schema, Json target, const Json& patch) {
    const bool keyed = schema != nullptr && !schema->merge_key.empty();
    const bool set = schema != nullptr && schema->is_set;
    if (!target.is_array() || (!keyed && !set)) target = Json::array();
    if ((keyed || set) && std::max(target.size(), patch.size()) > kElementsMax)
      return InvalidArgument("a list that is merged has more than " + std::to_string(kElementsMax) +
                             " elements");
    if (set) {
      AddMissing(target, patch);
      return target;
    }
    if (!keyed) return WithoutDirectives(patch);
    for (const Json& element : patch) {
      if (StringAt(element, {kDirective}) == "replace" && element.size() == 1) {
        // Replaces the list by the patch's other elements.
        target = Json::array();
      }
    }
    for (const Json& element : patch) {
      if (element.size() == 1 && element.contains(kDirective)) continue;
      if (Status merged = MergeElement(*schema, target, element); !merged) return merged.error();
    }
    return target;
  }

  Status MergeElement(const Schema& schema, Json& list, const Json& element) {
    const Json* key = Find(element, {schema.merge_key});
    if (key == nullptr)
      return InvalidArgument("map: " + ToText(element) +
                             " does not contain declared merge key: " + schema.merge_key);
    Json* old = FindByKey(list, schema.merge_key, *key);
    if (StringAt(element, {kDirective}) == "delete") {
      const Json value = *key;
      std::erase_if(list.get_ref<Json::array_t&>(), [&schema, &value](const Json& e) {
        const Json* k = Find(e, {schema.merge_key});
        return k != nullptr && *k == value;
      });
      return Ok();
    }
    Result<Json> merged =
        Merge(schema.items.get(), old == nullptr ? Json::object() : *old, element);
    if (!merged) return merged.error();
    if (old == nullptr) {
      list.push_back(*std::move(merged));
    } else {
      *old = *std::move(merged);
    }
    return Ok();
  }

  static Json WithoutDirectives(const Json& patch) {
    if (!patch.is_structured()) return patch;
    Json clean = patch.is_array() ? Json::array() : Json::object();
    for (const auto& [key, value] : patch.items()) {
      if (patch.is_array()) {
        clean.push_back(WithoutDirectives(value));
      } else if (!key.starts_with('$')) {
        clean[key] = WithoutDirectives(value);
      }
    }
    return clean;
  }

  static void DeleteFromList(Json& target, const std::string& field, const Json& values) {
    Json* list = Find(target, {field});
    if (list == nullptr || !list->is_array() || !values.is_array()) return;
    std::erase_if(list->get_ref<Json::array_t&>(), [&values](const Json& v) {
      return std::find(values.begin(), values.end(), v) != values.end();
    });
  }

  // Sorts the elements that the order names into that order; the others stay behind the one before
  // them.
  static void Order(const Schema* schema, Json& target, const std::string& field,
                    const Json& order) {
    Json* list = Find(target, {field});
    const Schema* inner = MemberSchema(schema, field);
    if (list == nullptr || !list->is_array() || !order.is_array() || inner == nullptr) return;
    if (std::max(list->size(), order.size()) > kElementsMax) return;
    const auto place = [&](const Json& element) -> size_t {
      for (size_t i = 0; i < order.size(); ++i) {
        const Json* wanted =
            inner->merge_key.empty() ? &order[i] : Find(order[i], {inner->merge_key});
        const Json* found = inner->merge_key.empty() ? &element : Find(element, {inner->merge_key});
        if (wanted != nullptr && found != nullptr && *wanted == *found) return i + 1;
      }
      return 0;
    };
    std::vector<std::pair<size_t, Json>> placed;
    size_t last = 0;
    for (Json& element : *list) {
      const size_t own = place(element);
      last = own == 0 ? last : own;
      placed.emplace_back(last, std::move(element));
    }
    std::ranges::stable_sort(placed, {}, &std::pair<size_t, Json>::first);
    for (size_t i = 0; i < placed.size(); ++i) (*list)[i] = std::move(placed[i].second);
  }
};

}  // namespace

Result<Json> StrategicMergePatch(const Schema& schema, Json target, const Json& patch) {
  if (!patch.is_object()) return InvalidArgument("a strategic merge patch is an object");
  return StrategicMerger().Merge(&schema, std::move(target), patch);
}

}  // namespace updraft::api
