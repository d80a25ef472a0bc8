#include "controller/reconcile/garbage.h"

#include <algorithm>
#include <utility>

#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

// `object` without its references to owners of which `drop` is true.
template <typename Predicate>
Json WithoutOwners(const Json& object, Predicate drop) {
  Json kept = Json::array();
  for (const Json& reference : api::ArrayAt(object, {"metadata", "ownerReferences"})) {
    if (!drop(api::StringAt(reference, {"uid"}))) kept.push_back(reference);
  }
  Json changed = object;
  if (kept.empty()) {
    api::Erase(changed, {"metadata", "ownerReferences"});
  } else {
    changed["metadata"]["ownerReferences"] = std::move(kept);
  }
  return changed;
}

void PlanOwnerless(const GarbageInputs& in, ReconcilePlan& plan) {
  size_t alive = 0;
  size_t gone = 0;
  for (const api::OwnerReference& owner : api::OwnersOf(*in.object)) {
    ++(in.alive(owner.uid) ? alive : gone);
  }
  if (gone == 0 || api::IsBeingDeleted(*in.object)) return;
  if (alive == 0) {
    plan.writes.push_back(DeleteObject{in.key, api::UidOf(*in.object), Propagation::kBackground});
    return;
  }
  const auto is_gone = [&in](const std::string& uid) { return !in.alive(uid); };
  plan.writes.push_back(UpdateObject{in.key, WithoutOwners(*in.object, is_gone)});
}

void PlanWithoutFinalizer(const GarbageInputs& in, std::string_view finalizer,
                          ReconcilePlan& plan) {
  Json released = *in.object;
  api::RemoveFinalizer(released, finalizer);
  plan.writes.push_back(UpdateObject{in.key, std::move(released)});
}

// Dependents that do not block are left to be collected once their owner has gone.
bool BlocksDeletionOf(const std::string& owner_uid, const Json& dependent) {
  return std::ranges::any_of(api::OwnersOf(dependent), [&](const api::OwnerReference& owner) {
    return owner.uid == owner_uid && owner.block_owner_deletion;
  });
}

void PlanForeground(const GarbageInputs& in, ReconcilePlan& plan) {
  const std::string owner_uid = api::UidOf(*in.object);
  bool blocked = false;
  for (const ObjectKey& key : in.dependents) {
    const std::shared_ptr<const Json> dependent = in.find(key);
    if (!dependent || !BlocksDeletionOf(owner_uid, *dependent)) continue;
    blocked = true;
    if (api::IsBeingDeleted(*dependent)) continue;
    const std::string uid = api::UidOf(*dependent);
    const Propagation how =
        in.has_dependents(uid) ? Propagation::kForeground : Propagation::kBackground;
    plan.writes.push_back(DeleteObject{key, uid, how});
  }
  if (!blocked) PlanWithoutFinalizer(in, api::kForegroundFinalizer, plan);
}

void PlanOrphaning(const GarbageInputs& in, ReconcilePlan& plan) {
  const std::string uid = api::UidOf(*in.object);
  bool blocked = false;
  for (const ObjectKey& key : in.dependents) {
    const std::shared_ptr<const Json> dependent = in.find(key);
    if (!dependent) continue;
    blocked = true;
    const auto is_this = [&uid](const std::string& other) { return other == uid; };
    plan.writes.push_back(UpdateObject{key, WithoutOwners(*dependent, is_this)});
  }
  if (!blocked) PlanWithoutFinalizer(in, api::kOrphanFinalizer, plan);
}

}  // namespace

ReconcilePlan CollectGarbage(const GarbageInputs& in) {
  ReconcilePlan plan;
  PlanOwnerless(in, plan);
  if (!api::IsBeingDeleted(*in.object)) return plan;
  if (api::HasFinalizer(*in.object, api::kOrphanFinalizer)) {
    PlanOrphaning(in, plan);
  } else if (api::HasFinalizer(*in.object, api::kForegroundFinalizer)) {
    PlanForeground(in, plan);
  } else if (IsFinished(*in.object)) {
    // Whoever wrote this state should have removed the object.
    plan.writes.push_back(UpdateObject{in.key, *in.object});
  }
  return plan;
}

ReconcilePlan EmptyNamespace(
    const ObjectKey& key, const Json& ns,
    const std::vector<std::pair<ObjectKey, std::shared_ptr<const Json>>>& content) {
  ReconcilePlan plan;
  if (!api::IsBeingDeleted(ns)) return plan;
  for (const auto& [content_key, object] : content) {
    if (api::IsBeingDeleted(*object)) continue;
    plan.writes.push_back(DeleteObject{content_key, api::UidOf(*object), Propagation::kBackground});
  }
  if (!content.empty()) return plan;
  Json released = ns;
  if (released.contains("spec") && released["spec"].is_object())
    released["spec"].erase("finalizers");
  plan.writes.push_back(UpdateObject{key, std::move(released)});
  return plan;
}

}  // namespace updraft::controller
