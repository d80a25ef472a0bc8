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

}  // namespace

RevisionSource::~RevisionSource() {
  for (const ObjectStore::WatchId id : watches_) objects_.Unwatch(id);
}

void RevisionSource::Start() {
  SetAll();
  fleet_loop_.Change([](Fleet& fleet, Moment) { fleet.RevisionsAreLoaded(); });
  Follow(resource::kRevisions, [this](const Change& change) { OnRevision(change); });
  for (const char* resource :
       {kConfigMaps, resource::kSecrets, resource::kServiceAccounts, resource::kClaims})
    Follow(resource, [this](const Change& change) { OnNamed(change.key); });
}

void RevisionSource::SetProgressDeadline(Nanos deadline) {
  const bool changed = std::exchange(progress_deadline_, deadline) != deadline;
  if (changed && !watches_.empty()) SetAll();
}

void RevisionSource::SetAll() {
  for (const auto& revision : objects_.List(resource::kRevisions, "").objects) {
    if (!api::IsBeingDeleted(*revision)) Set(*revision);
  }
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
  references_.Remove(change.key);
  const RevisionKey key = KeyOfRevision(*change.object);
  fleet_loop_.Change([&key](Fleet& fleet, Moment) { fleet.RemoveRevision(key); });
}

void RevisionSource::OnNamed(const ObjectKey& key) {
  for (const ObjectKey& user : references_.To(key)) {
    const auto revision = objects_.Get(user);
    if (revision && !api::IsBeingDeleted(*revision->object)) Set(*revision->object);
  }
}

void RevisionSource::Set(const Json& revision) {
  std::set<ObjectKey> looked_for;
  auto spec = ReadRevision(revision, NamedIn(api::NamespaceOf(revision), looked_for));
  references_.Set(KeyOf(revision, resource::kRevisions), std::move(looked_for));
  if (!spec) {
    Log(Level::kError, "revision_unreadable",
        {{"revision", KeyOfRevision(revision)}, {"error", spec.error().message}});
    return;
  }
  spec->initialized = WasInitialized(revision);
  if (!spec->own_progress_deadline)
    spec->instance.set_progress_deadline_ns(progress_deadline_.count());
  if (UsageWantedByDefault() && !spec->scaling_annotations.contains(kClassAnnotation))
    spec->instance.set_report_usage(true);
  auto shared = std::make_shared<const RevisionSpec>(std::move(*spec));
  fleet_loop_.Change([&shared](Fleet& fleet, Moment) { fleet.SetRevision(std::move(shared)); });
}

bool RevisionSource::UsageWantedByDefault() const {
  const auto config =
      objects_.Get({kConfigMaps, std::string(api::kSystemNamespace), "config-autoscaler"});
  return config &&
         api::StringAt(*config->object, {"data", "pod-autoscaler-class"}) == api::kHpaClass;
}

NamedObjects RevisionSource::NamedIn(const std::string& ns, std::set<ObjectKey>& looked_for) const {
  const auto find = [this, &ns, &looked_for](const char* resource) -> NamedObjects::Find {
    return [this, ns, resource, &looked_for](std::string_view name) -> std::shared_ptr<const Json> {
      const ObjectKey key{resource, ns, std::string(name)};
      looked_for.insert(key);
      const auto stored = objects_.Get(key);
      return stored ? stored->object : nullptr;
    };
  };
  return {.config_map = find(kConfigMaps),
          .secret = find(resource::kSecrets),
          .service_account = find(resource::kServiceAccounts),
          .claim = find(resource::kClaims)};
}

}  // namespace updraft::controller
