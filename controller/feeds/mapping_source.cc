#include "controller/feeds/mapping_source.h"

#include <optional>
#include <set>
#include <utility>

#include "controller/reconcile/domain_mapping.h"
#include "controller/reconcile/keys.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"
#include "core/base/check.h"

namespace updraft::controller {
namespace {

std::string MappingKey(const Json& mapping) {
  return api::NamespaceOf(mapping) + "/" + api::NameOf(mapping);
}

}  // namespace

MappingSource::~MappingSource() { objects_.Unwatch(watch_); }

void MappingSource::Start() {
  for (const auto& mapping : objects_.List(resource::kDomainMappings, "").objects) {
    Set(*mapping);
    if (api::IsConditionTrue(*mapping, "IngressReady"))
      routing_.AssumeProgrammed(MappingKey(*mapping));
  }
  const auto watch = objects_.Watch("", "", objects_.revision(),
                                    [this](const Change& change) { OnChange(change); });
  UPDRAFT_CHECK(watch.has_value());  // from now on is never too old
  watch_ = *watch;
}

void MappingSource::SetConfig(ServingConfig config) {
  config_ = std::move(config);
  if (watch_ == 0) return;  // Start() sets them all
  for (const auto& mapping : objects_.List(resource::kDomainMappings, "").objects) Set(*mapping);
}

void MappingSource::OnChange(const Change& change) {
  const std::string& resource = change.key.resource;
  if (resource == resource::kDomainMappings) {
    if (change.type != Change::Type::kDeleted) return Set(*change.object);
    references_.Remove(change.key);
    return routing_.RemoveRoute(MappingKey(*change.object));
  }
  if (resource != resource::kRoutes && resource != resource::kSecrets) return;
  for (const ObjectKey& key : references_.To(change.key)) {
    if (const auto mapping = objects_.Get(key)) Set(*mapping->object);
  }
}

void MappingSource::Set(const Json& mapping) {
  const std::optional<ObjectKey> route_key = ReferredRoute(mapping);
  const std::optional<ObjectKey> secret_key = ReferredSecret(mapping);
  std::set<ObjectKey> referred;
  if (route_key) referred.insert(*route_key);
  if (secret_key) referred.insert(*secret_key);
  references_.Set(KeyOf(mapping, resource::kDomainMappings), std::move(referred));
  const std::shared_ptr<const Json> route = Find(route_key);
  const std::shared_ptr<const Json> secret = Find(secret_key);
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
