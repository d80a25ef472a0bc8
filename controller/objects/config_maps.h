// Knative's config-* ConfigMaps as they are in the store just now.
#pragma once

#include <array>

#include "controller/objects/object_store.h"
#include "core/api/serving_config.h"

namespace updraft::controller {

// Reads them again only when one has changed. Loop thread only.
class ConfigMaps {
 public:
  // A map that cannot be used has no effect: it was refused when it was written, or is of another
  // version's making. The reference is good until the next call.
  const api::ServingConfig& Read(const ObjectStore& objects);

 private:
  static constexpr size_t kCount = 8;

  bool read_ = false;
  std::array<int64_t, kCount> revisions_ = {};  // 0: there is no such map
  api::ServingConfig config_;
};

}  // namespace updraft::controller
