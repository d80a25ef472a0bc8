// What the reconcilers share in making and judging the objects that they own. Pure.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "controller/reconcile/plan.h"
#include "core/api/json.h"

namespace updraft::controller {

// How an existing object of a child's name stands to its would-be owner.
enum class Ownership {
  kNone,  // there is no such object
  kOurs,
  kLeftover,  // it belonged to an earlier object of the owner's kind and name, and is about to go
  kForeign,
};
Ownership OwnershipOf(const std::shared_ptr<const Json>& child, const Json& owner);

// What the owner wants of a child. Anything else that the child has is its own affair.
struct ChildSpec {
  ObjectKey key = {};
  std::string api_version = {};
  std::string kind = {};
  Json labels = Json::object();
  Json annotations = Json::object();
  Json spec = Json::object();
};

Json NewChild(const ChildSpec& wanted, const Json& owner);

// `existing` with labels, annotations and spec as wanted; the generation grows when the spec
// changes.
Json WithWanted(const Json& existing, const ChildSpec& wanted);

// The entries of `map` without those of the keys named.
Json Without(const Json& map, std::initializer_list<std::string_view> keys);

// A comma separated list as it stands in an annotation.
std::set<std::string> SplitList(std::string_view list);
std::string JoinList(const std::set<std::string>& list);

// Ready is True, and for the newest generation.
bool IsReady(const Json& object);

}  // namespace updraft::controller
