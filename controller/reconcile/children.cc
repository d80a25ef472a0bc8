#include "controller/reconcile/children.h"

#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"

namespace updraft::controller {

Ownership OwnershipOf(const std::shared_ptr<const Json>& child, const Json& owner) {
  if (!child) return Ownership::kNone;
  const std::optional<api::OwnerReference> controller = api::ControllerOf(*child);
  if (!controller) return Ownership::kForeign;
  if (controller->uid == api::UidOf(owner)) return Ownership::kOurs;
  const bool same_name =
      controller->kind == api::KindOf(owner) && controller->name == api::NameOf(owner);
  return same_name ? Ownership::kLeftover : Ownership::kForeign;
}

Json NewChild(const ChildSpec& wanted, const Json& owner) {
  return {{"apiVersion", wanted.api_version},
          {"kind", wanted.kind},
          {"metadata",
           {{"name", wanted.key.name},
            {"namespace", wanted.key.ns},
            {"labels", wanted.labels},
            {"annotations", wanted.annotations},
            {"ownerReferences", Json::array({api::ControllerReferenceTo(owner)})}}},
          {"spec", wanted.spec}};
}

Json WithWanted(const Json& existing, const ChildSpec& wanted) {
  Json updated = existing;
  Json& metadata = api::EnsureObject(updated, {"metadata"});
  if (api::ObjectAt(existing, {"metadata", "labels"}) != wanted.labels)
    metadata["labels"] = wanted.labels;
  if (api::ObjectAt(existing, {"metadata", "annotations"}) != wanted.annotations) {
    metadata["annotations"] = wanted.annotations;
  }
  if (updated["spec"] != wanted.spec) {
    updated["spec"] = wanted.spec;
    if (metadata.contains("generation")) metadata["generation"] = api::GenerationOf(existing) + 1;
  }
  return updated;
}

Json Without(const Json& map, std::initializer_list<std::string_view> keys) {
  Json rest = map.is_object() ? map : Json::object();
  for (const std::string_view key : keys) rest.erase(std::string(key));
  return rest;
}

std::set<std::string> SplitList(std::string_view list) {
  std::set<std::string> parts;
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (comma != 0) parts.emplace(list.substr(0, comma));
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return parts;
}

std::string JoinList(const std::set<std::string>& list) {
  std::string joined;
  for (const std::string& part : list) joined += (joined.empty() ? "" : ",") + part;
  return joined;
}

bool IsReady(const Json& object) {
  return api::ObservedGenerationOf(object) == api::GenerationOf(object) &&
         api::IsConditionTrue(object, api::kReady);
}

}  // namespace updraft::controller
