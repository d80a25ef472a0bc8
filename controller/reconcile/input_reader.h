// Gathers from the stored objects what each reconciler needs to see. Loop thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controller/objects/object_store.h"
#include "controller/reconcile/configuration.h"
#include "controller/reconcile/domain_mapping.h"
#include "controller/reconcile/garbage.h"
#include "controller/reconcile/object_index.h"
#include "controller/reconcile/route.h"
#include "controller/reconcile/service.h"

namespace updraft::controller {

class InputReader {
 public:
  // All must outlive this.
  InputReader(const ObjectStore& objects, const ObjectIndex& index, const ServingConfig& config)
      : objects_(objects), index_(index), config_(config) {}

  // Null when there is none.
  std::shared_ptr<const Json> Find(const ObjectKey& key) const;

  ServiceInputs ReadService(std::shared_ptr<const Json> service) const;
  ConfigurationInputs ReadConfiguration(std::shared_ptr<const Json> configuration) const;
  // All but `programmed`.
  RouteInputs ReadRoute(std::shared_ptr<const Json> route) const;
  // All but `programmed`.
  DomainMappingInputs ReadDomainMapping(std::shared_ptr<const Json> mapping) const;
  // What is marked with a route that is gone.
  RouteInputs ReadMarks(const ObjectKey& route) const;
  GarbageInputs ReadGarbage(const ObjectKey& key, std::shared_ptr<const Json> object) const;
  std::vector<std::pair<ObjectKey, std::shared_ptr<const Json>>> ReadNamespace(
      const std::string& ns) const;

 private:
  void AddRevision(const std::string& ns, const std::string& name, RouteInputs& in) const;
  void AddConfiguration(const std::string& ns, const std::string& name, RouteInputs& in) const;
  void AddServices(const Json& route, RouteInputs& in) const;

  const ObjectStore& objects_;
  const ObjectIndex& index_;
  const ServingConfig& config_;
};

}  // namespace updraft::controller
