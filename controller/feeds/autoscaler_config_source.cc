#include "controller/feeds/autoscaler_config_source.h"

#include <utility>

#include "core/api/access.h"
#include "core/api/config_example.h"
#include "core/api/constants.h"
#include "core/api/meta.h"
#include "core/api/serving_config.h"
#include "core/base/check.h"

namespace updraft::controller {
namespace {

constexpr char kConfigMaps[] = "configmaps";
constexpr char kName[] = "config-autoscaler";

}  // namespace

AutoscalerConfigSource::~AutoscalerConfigSource() {
  if (watch_) objects_.Unwatch(*watch_);
}

void AutoscalerConfigSource::Start() {
  Tell();
  const auto watch = objects_.Watch(kConfigMaps, std::string(api::kSystemNamespace),
                                    objects_.revision(), [this](const Change& change) {
                                      if (api::NameOf(*change.object) == kName) Tell();
                                    });
  UPDRAFT_CHECK(watch.has_value());  // from now on is never too old
  watch_ = *watch;
}

void AutoscalerConfigSource::Tell() {
  v1::AutoscalerConfig config;
  if (const auto stored = objects_.Get({kConfigMaps, std::string(api::kSystemNamespace), kName})) {
    for (auto& [key, value] : api::KeysOf(api::ObjectAt(*stored->object, {"data"}))) {
      if (key != api::kExampleKey) (*config.mutable_keys())[key] = value;
    }
    // One that sets nothing is as good as none.
    config.set_exists(config.keys_size() > 0);
  }
  decisions_.SetConfig(std::move(config));
}

}  // namespace updraft::controller
