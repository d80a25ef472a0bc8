// Owner references, finalizers and namespaces: what goes when something else goes. Pure.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controller/reconcile/plan.h"
#include "core/api/json.h"

namespace updraft::controller {

struct GarbageInputs {
  ObjectKey key = {};
  std::shared_ptr<const Json> object = nullptr;
  std::vector<ObjectKey> dependents = {};  // that refer to it as an owner
  // What is stored under a dependent's key; null when it is gone.
  std::function<std::shared_ptr<const Json>(const ObjectKey&)> find = {};
  // Whether an object of this uid exists.
  std::function<bool(const std::string& uid)> alive = {};
  // Whether other objects refer to this uid as an owner.
  std::function<bool(const std::string& uid)> has_dependents = {};
};

// An object none of whose owners exists any more is deleted; references to some that are gone are
// dropped. An object that is being deleted in the foreground goes when the dependents that block it
// have gone; one that is to orphan them, when they have lost their reference to it.
ReconcilePlan CollectGarbage(const GarbageInputs& in);

// A namespace that is being deleted: everything in it goes, then itself. `content`: what is in it.
ReconcilePlan EmptyNamespace(
    const ObjectKey& key, const Json& ns,
    const std::vector<std::pair<ObjectKey, std::shared_ptr<const Json>>>& content);

}  // namespace updraft::controller
