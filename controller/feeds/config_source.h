// Tells those who serve what the config-* ConfigMaps in namespace knative-serving say, whenever one
// of them changes.
#pragma once

#include <functional>
#include <optional>

#include "controller/objects/config_maps.h"
#include "controller/reconcile/serving_config.h"

namespace updraft::controller {

// `flags` with what the maps say beside it.
ServingConfig WithConfigMaps(ServingConfig flags, const api::ServingConfig& maps);

// Loop thread only.
class ConfigSource {
 public:
  using OnConfig = std::function<void(const api::ServingConfig& maps)>;

  // `objects` is loaded; it must outlive this.
  ConfigSource(ObjectStore& objects, OnConfig on_config)
      : objects_(objects), on_config_(std::move(on_config)) {}
  ~ConfigSource();
  ConfigSource(const ConfigSource&) = delete;
  ConfigSource& operator=(const ConfigSource&) = delete;

  // What they say now.
  const api::ServingConfig& Read() { return maps_.Read(objects_); }

  // From now on every change is told. Once.
  void Start();

 private:
  ObjectStore& objects_;
  const OnConfig on_config_;
  ConfigMaps maps_;
  std::optional<ObjectStore::WatchId> watch_;
};

}  // namespace updraft::controller
