#include "controller/feeds/mapping_source.h"

#include <utility>

#include "controller/reconcile/domain_mapping.h"
#include "controller/reconcile/keys.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"
#include "core/base/check.h"

namespace updraft::controller {
namespace {

std::string KeyText(const Json& mapping) {
  return api::NamespaceOf(mapping) + "/" + api::NameOf(mapping);
}

}  // namespace

MappingSource::~MappingSource() { objects_.Unwatch(watch_); }

void MappingSource::Start() {
  for (const auto& mapping : objects_.List(resource::kDomainMappings, "").objects) {
    Set(*mapping);
    if (api::IsConditionTrue(*mapping, "IngressReady"))
      routing_.AssumeProgrammed(KeyText(*mapping));
  }
  const auto watch = objects_.Watch("", "", objects_.revision(),
                                    [this](const Change& change) { OnChange(change); });
  UPDRAFT_CHECK(watch.has_value());  // from now on is never too old
  watch_ = *watch;
}

void MappingSource::OnChange(const Change& change) {
  const std::string& resource = change.key.resource;
  if (resource == resource::kDomainMappings) {
    if (change.type != Change::Type::kDeleted) return Set(*change.object);
    return routing_.RemoveRoute(KeyText(*change.object));
  }
  if (resource != resource::kRoutes && resource != resource::kSecrets) return;
  for (const auto& mapping : objects_.List(resource::kDomainMappings, change.key.ns).objects) {
    if (ReferredRoute(*mapping) == change.key || ReferredSecret(*mapping) == change.key)
      Set(*mapping);
  }
}

void MappingSource::Set(const Json& mapping) {
  const std::shared_ptr<const Json> route = Find(ReferredRoute(mapping));
  const std::shared_ptr<const Json> secret = Find(ReferredSecret(mapping));
  const v1::Route built = BuildMapping(mapping, route.get(), secret.get(), config_);
  if (built.hosts_size() == 0) {
    routing_.RemoveRoute(built.key());
  } else {
    routing_.SetRoute(built, MappingFingerprint(built));
  }
}

std::shared_ptr<const Json> MappingSource::Find(const std::optional<ObjectKey>& key) const {
  if (!key) return nullptr;
  const std::optional<Stored> stored = objects_.Get(*key);
  return stored ? stored->object : nullptr;
}

}  // namespace updraft::controller
