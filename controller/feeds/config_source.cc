#include "controller/feeds/config_source.h"

#include <utility>

#include "core/api/access.h"
#include "core/api/constants.h"
#include "core/api/meta.h"
#include "core/base/check.h"

namespace updraft::controller {
namespace {

bool Concerns(const Change& change) {
  if (!api::IsConfigMap(change.key.name)) return false;
  const bool modified = change.type == Change::Type::kModified;
  return !modified ||
         api::ObjectAt(*change.object, {"data"}) != api::ObjectAt(*change.previous, {"data"});
}

}  // namespace

ServingConfig WithConfigMaps(ServingConfig flags, const api::ServingConfig& maps) {
  flags.network = maps.network;
  flags.domains = maps.domains;
  flags.deployment = maps.deployment;
  flags.retention = maps.retention;
  flags.rollout_duration = maps.network.rollout_duration;
  flags.revision_url_template = maps.observability.revision_url_template;
  return flags;
}

ConfigSource::~ConfigSource() {
  if (watch_) objects_.Unwatch(*watch_);
}

void ConfigSource::Start() {
  const auto watch = objects_.Watch("configmaps", std::string(api::kSystemNamespace),
                                    objects_.revision(), [this](const Change& change) {
                                      if (Concerns(change)) on_config_(maps_.Read(objects_));
                                    });
  UPDRAFT_CHECK(watch.has_value());  // from now on is never too old
  watch_ = *watch;
}

}  // namespace updraft::controller
