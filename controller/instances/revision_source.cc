#include "controller/instances/revision_source.h"

#include <utility>

#include "controller/reconcile/keys.h"
#include "controller/reconcile/observed.h"
#include "core/api/access.h"
#include "core/api/constants.h"
#include "core/api/meta.h"
#include "core/base/check.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

constexpr char kConfigMaps[] = "configmaps";
constexpr char kClassAnnotation[] = "autoscaling.knative.dev/class";

RevisionKey KeyOfRevision(const Json& revision) {
  return api::NamespaceOf(revision) + "/" + api::NameOf(revision);
}

bool HoldsPullCredentials(const Json& secret) {
  return api::StringAt(secret, {"type"}).starts_with("kubernetes.io/dockerc");
}

}  // namespace

RevisionSource::~RevisionSource() {
  for (const ObjectStore::WatchId id : watches_) objects_.Unwatch(id);
}

void RevisionSource::Start() {
  const ListResult all = objects_.List(resource::kRevisions, "");
  for (const auto& revision : all.objects) {
    if (!api::IsBeingDeleted(*revision)) Set(*revision);
  }
  fleet_loop_.Change([](Fleet& fleet, Moment) { fleet.RevisionsAreLoaded(); });
  Follow(resource::kRevisions, [this](const Change& change) { OnRevision(change); });
  Follow(kConfigMaps,
         [this](const Change& change) { OnNamed(*change.object, /*concerns_all=*/false); });
  Follow(resource::kSecrets, [this](const Change& change) {
    OnNamed(*change.object, HoldsPullCredentials(*change.object));
  });
  Follow(resource::kServiceAccounts,
         [this](const Change& change) { OnNamed(*change.object, /*concerns_all=*/true); });
}

void RevisionSource::Follow(const char* resource, ObjectStore::OnChange on_change) {
  const auto watch = objects_.Watch(resource, "", objects_.revision(), std::move(on_change));
  UPDRAFT_CHECK(watch.has_value());  // from now on is never too old
  watches_.push_back(*watch);
}

void RevisionSource::OnRevision(const Change& change) {
  if (change.type != Change::Type::kDeleted && !api::IsBeingDeleted(*change.object)) {
    Set(*change.object);
    return;
  }
  const RevisionKey key = KeyOfRevision(*change.object);
  fleet_loop_.Change([&key](Fleet& fleet, Moment) { fleet.RemoveRevision(key); });
}

void RevisionSource::OnNamed(const Json& object, bool concerns_all) {
  for (const auto& revision :
       objects_.List(resource::kRevisions, api::NamespaceOf(object)).objects) {
    if (!api::IsBeingDeleted(*revision) && (concerns_all || NamesObjects(*revision)))
      Set(*revision);
  }
}

void RevisionSource::Set(const Json& revision) {
  auto spec = ReadRevision(revision, NamedIn(api::NamespaceOf(revision)));
  if (!spec) {
    Log(Level::kError, "revision_unreadable",
        {{"revision", KeyOfRevision(revision)}, {"error", spec.error().message}});
    return;
  }
  spec->initialized = WasInitialized(revision);
  if (UsageWantedByDefault() && !spec->scaling_annotations.contains(kClassAnnotation))
    spec->instance.set_report_usage(true);
  auto shared = std::make_shared<const RevisionSpec>(std::move(*spec));
  fleet_loop_.Change([&shared](Fleet& fleet, Moment) { fleet.SetRevision(std::move(shared)); });
}

bool RevisionSource::UsageWantedByDefault() const {
  const auto config =
      objects_.Get({kConfigMaps, std::string(api::kSystemNamespace), "config-autoscaler"});
  return config && api::StringAt(*config->object, {"data", "pod-autoscaler-class"}) == api::kHpaClass;
}

NamedObjects RevisionSource::NamedIn(const std::string& ns) const {
  const auto find = [this, &ns](const char* resource) -> NamedObjects::Find {
    return [this, ns, resource](std::string_view name) -> std::shared_ptr<const Json> {
      const auto stored = objects_.Get({resource, ns, std::string(name)});
      return stored ? stored->object : nullptr;
    };
  };
  return {.config_map = find(kConfigMaps),
          .secret = find(resource::kSecrets),
          .service_account = find(resource::kServiceAccounts)};
}

}  // namespace updraft::controller
