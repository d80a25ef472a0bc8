#include "controller/reconcile/triggers.h"

#include <optional>
#include <string>

#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

bool HasReconciler(const std::string& name) {
  return name == resource::kServices || name == resource::kConfigurations ||
         name == resource::kRevisions || name == resource::kRoutes ||
         name == resource::kDomainMappings || name == resource::kNamespaces;
}

class Collector {
 public:
  Collector(const Change& change, const ObjectIndex& index) : change_(change), index_(index) {}

  std::vector<WorkKey> Collect() {
    if (HasReconciler(change_.key.resource)) Reconcile(change_.key);
    AddController();
    AddFollowers();
    AddGarbage();
    AddNamespace();
    return std::move(keys_);
  }

 private:
  void Reconcile(ObjectKey key) { keys_.push_back({Work::kReconcile, std::move(key)}); }
  void Garbage(ObjectKey key) { keys_.push_back({Work::kGarbage, std::move(key)}); }
  static ObjectKey MappingOf(const Json& claim) {
    return {resource::kDomainMappings, api::StringAt(claim, {"spec", "namespace"}),
            api::NameOf(claim)};
  }
  ObjectKey Beside(const char* resource, std::string name) const {
    return {resource, change_.key.ns, std::move(name)};
  }

  // By name, not by uid: the owner may be a new one that waits for the leftovers of the old to go.
  void AddController() {
    const auto owner = api::ControllerOf(*change_.object);
    if (!owner || !owner->api_version.starts_with("serving.knative.dev/")) return;
    if (owner->kind == "Service") Reconcile(Beside(resource::kServices, owner->name));
    if (owner->kind == "Configuration") Reconcile(Beside(resource::kConfigurations, owner->name));
    if (owner->kind == "Route") Reconcile(Beside(resource::kRoutes, owner->name));
  }

  void AddFollowers() {
    const std::string& resource = change_.key.resource;
    const bool gone = change_.type == Change::Type::kDeleted;
    if (resource == resource::kConfigurations || resource == resource::kRevisions) {
      for (const ObjectKey& route : index_.RoutesTo(change_.key)) Reconcile(route);
    }
    if (resource == resource::kRevisions && change_.type != Change::Type::kModified) {
      for (const ObjectKey& key : index_.WantingName(change_.key.ns, change_.key.name))
        Reconcile(key);
    }
    if (resource == resource::kRoutes || resource == resource::kSecrets) {
      for (const ObjectKey& mapping : index_.MappingsTo(change_.key)) Reconcile(mapping);
    }
    // Who may have a domain name depends on who else asks for it, and on whose it is said to be.
    const bool rival =
        resource == resource::kDomainMappings && change_.type != Change::Type::kModified;
    if (rival || resource == resource::kDomainClaims) {
      for (const ObjectKey& key : index_.MappingsCalled(change_.key.name)) Reconcile(key);
    }
    // The mapping that a claim was made for may have gone unnoticed.
    if (resource == resource::kDomainClaims && !gone) {
      Reconcile(MappingOf(*change_.object));
    }
    // Whoever waits for a name that was taken finds it free.
    if (gone && (resource == resource::kConfigurations || resource == resource::kRoutes)) {
      Reconcile(Beside(resource::kServices, change_.key.name));
    }
    if (gone && resource == resource::kRevisions) {
      Reconcile(
          Beside(resource::kConfigurations, api::LabelOf(*change_.object, label::kConfiguration)));
    }
    if (gone && resource == resource::kCoreServices)
      Reconcile(Beside(resource::kRoutes, change_.key.name));
  }

  void AddGarbage() {
    const Json& object = *change_.object;
    if (change_.type == Change::Type::kDeleted) {
      for (const ObjectKey& dependent : index_.DependentsOf(api::UidOf(object))) Garbage(dependent);
    } else if (api::IsBeingDeleted(object) || OwnersChanged()) {
      Garbage(change_.key);
    }
    // An owner that is being deleted in the foreground waits for this one to go or let go.
    if (change_.type == Change::Type::kAdded) return;
    for (const api::OwnerReference& owner : api::OwnersOf(*change_.previous)) {
      if (const ObjectKey* key = index_.Find(owner.uid)) Garbage(*key);
    }
  }

  bool OwnersChanged() const {
    const Json& owners = api::ArrayAt(*change_.object, {"metadata", "ownerReferences"});
    if (owners.empty()) return false;
    return !change_.previous ||
           owners != api::ArrayAt(*change_.previous, {"metadata", "ownerReferences"});
  }

  void AddNamespace() {
    if (change_.type == Change::Type::kDeleted && !change_.key.ns.empty()) {
      Reconcile({resource::kNamespaces, "", change_.key.ns});
    }
  }

  const Change& change_;
  const ObjectIndex& index_;
  std::vector<WorkKey> keys_;
};

}  // namespace

std::vector<WorkKey> TriggeredBy(const Change& change, const ObjectIndex& index) {
  return Collector(change, index).Collect();
}

}  // namespace updraft::controller
