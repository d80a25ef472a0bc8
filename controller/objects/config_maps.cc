#include "controller/objects/config_maps.h"

#include "core/api/access.h"
#include "core/api/constants.h"

namespace updraft::controller {
namespace {

constexpr const char* kNames[] = {"config-autoscaler", "config-defaults",     "config-deployment",
                                  "config-domain",     "config-features",     "config-gc",
                                  "config-network",    "config-observability"};

std::optional<Stored> Find(const ObjectStore& objects, const char* name) {
  return objects.Get(
      {.resource = "configmaps", .ns = std::string(api::kSystemNamespace), .name = name});
}

}  // namespace

const api::ServingConfig& ConfigMaps::Read(const ObjectStore& objects) {
  static_assert(std::size(kNames) == kCount);
  std::array<int64_t, kCount> revisions{};
  for (size_t i = 0; i < kCount; ++i) {
    if (const auto map = Find(objects, kNames[i])) revisions[i] = map->revision;
  }
  if (read_ && revisions == revisions_) return config_;
  read_ = true;
  revisions_ = revisions;
  config_ = {};
  for (const char* name : kNames) {
    const auto map = Find(objects, name);
    if (!map) continue;
    [[maybe_unused]] const Status applied =
        api::ApplyConfigMap(name, api::ObjectAt(*map->object, {"data"}), config_);
  }
  return config_;
}

}  // namespace updraft::controller
