// Who refers to whom among the stored objects, so that a change finds those whom it concerns
// without going through all. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "controller/objects/object_store.h"

namespace updraft::controller {

// Objects by the values that they have, any number each.
class MultiIndex {
 public:
  void Set(const ObjectKey& key, std::set<std::string> values);
  const std::set<ObjectKey>& Find(const std::string& value) const;

 private:
  std::map<ObjectKey, std::set<std::string>> values_;
  std::map<std::string, std::set<ObjectKey>> keys_;
};

class ObjectIndex {
 public:
  void Update(const Change& change);

  bool Alive(const std::string& uid) const { return keys_by_uid_.contains(uid); }
  const ObjectKey* Find(const std::string& uid) const;
  const std::set<ObjectKey>& DependentsOf(const std::string& uid) const {
    return by_owner_.Find(uid);
  }

  // Routes whose spec or status names the Configuration or Revision.
  const std::set<ObjectKey>& RoutesTo(const ObjectKey& target) const;
  // Configurations and Revisions that are marked with the route.
  const std::set<ObjectKey>& MarkedWith(std::string_view ns, std::string_view route) const;
  // Services and Configurations that want their revision to be called so.
  const std::set<ObjectKey>& WantingName(std::string_view ns, std::string_view revision) const;
  // DomainMappings that lead to the Route, or name the Secret.
  const std::set<ObjectKey>& MappingsTo(const ObjectKey& target) const;
  // DomainMappings of the name, in any namespace.
  const std::set<ObjectKey>& MappingsCalled(std::string_view name) const;

 private:
  std::map<std::string, ObjectKey> keys_by_uid_;
  MultiIndex by_owner_;
  MultiIndex by_target_;
  MultiIndex by_mark_;
  MultiIndex by_wanted_name_;
  MultiIndex by_mapped_;
};

}  // namespace updraft::controller
