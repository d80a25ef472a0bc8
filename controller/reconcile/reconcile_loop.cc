#include "controller/reconcile/reconcile_loop.h"

#include <utility>

#include "controller/instances/pull_auth.h"
#include "controller/reconcile/garbage.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/routing_state.h"
#include "controller/reconcile/triggers.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/base/check.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

constexpr char kComponent[] = "updraft-controller";

// Bounds how long others on the loop wait for their turn, and how many writes are under way.
constexpr int kPassesPerTurnMax = 64;
constexpr size_t kRunningMax = 512;

// From then on a failure is told with each further doubling of its number.
constexpr int kFailuresTold = 3;

// Every namespace has one, as in Kubernetes: clients wait for it before they use a new namespace.
Json DefaultServiceAccount(const std::string& ns) {
  return {{"apiVersion", "v1"},
          {"kind", "ServiceAccount"},
          {"metadata", {{"name", "default"}, {"namespace", ns}}}};
}

bool Told(int failures) { return failures >= kFailuresTold && (failures & (failures - 1)) == 0; }

}  // namespace

ReconcileLoop::ReconcileLoop(ReconcileSurroundings surroundings, ServingConfig config)
    : around_(std::move(surroundings)),
      config_(std::move(config)),
      reader_(around_.objects, index_, config_),
      executor_(around_.objects, around_.clock, around_.random),
      resolutions_(around_.images, around_.clock,
                   [this](const ObjectKey& revision) {
                     Add({Work::kReconcile, revision});
                   }),
      events_(around_.soft, around_.clock, around_.random) {}

ReconcileLoop::~ReconcileLoop() { around_.objects.Unwatch(watch_); }

void ReconcileLoop::Start() {
  // The index first: what is looked at must find everything that refers to it.
  std::vector<Change> all;
  for (const std::string& name : around_.objects.Resources()) {
    for (const std::shared_ptr<const Json>& object : around_.objects.List(name, "").objects) {
      all.push_back({.object = object, .key = KeyOf(*object, name)});
      index_.Update(all.back());
    }
  }
  for (const Change& change : all) {
    for (WorkKey& key : TriggeredBy(change, index_)) Add(std::move(key));
  }
  const Result<ObjectStore::WatchId> watch = around_.objects.Watch(
      "", "", around_.objects.revision(), [this](const Change& change) { OnChange(change); });
  UPDRAFT_CHECK(watch.has_value());
  watch_ = *watch;
}

void ReconcileLoop::OnChange(const Change& change) {
  index_.Update(change);
  for (WorkKey& key : TriggeredBy(change, index_)) Add(std::move(key));
  if (change.key.resource != resource::kNamespaces) return;
  if (change.type == Change::Type::kDeleted) {
    events_.ForgetNamespace(change.key.name);
  } else {
    events_.ExpectNamespace(change.key.name);
  }
}

void ReconcileLoop::RevisionChanged(std::string_view ns, std::string_view name) {
  Add({Work::kReconcile, {resource::kRevisions, std::string(ns), std::string(name)}});
}

void ReconcileLoop::RouteChanged(std::string_view ns, std::string_view name) {
  const bool mapping = name.find('.') != std::string_view::npos;
  const char* const resource = mapping ? resource::kDomainMappings : resource::kRoutes;
  Add({Work::kReconcile, {resource, std::string(ns), std::string(name)}});
}

void ReconcileLoop::SetConfig(ServingConfig config) {
  config_ = std::move(config);
  if (watch_ == 0) return;  // Start() looks at all
  AddAll(resource::kRoutes);
  AddAll(resource::kDomainMappings);
  AddAll(resource::kConfigurations);
  AddAll(resource::kRevisions);
}

void ReconcileLoop::AddAll(std::string_view resource) {
  for (const std::shared_ptr<const Json>& object : around_.objects.List(resource, "").objects) {
    Add({Work::kReconcile, KeyOf(*object, resource)});
  }
}

void ReconcileLoop::Add(WorkKey key) {
  queue_.Add(key);
  ScheduleRun();
}

void ReconcileLoop::Wake() {
  wake_asked_ = std::nullopt;
  events_.Prune();
  ScheduleRun();
}

void ReconcileLoop::ScheduleRun() {
  if (std::exchange(run_scheduled_, true)) return;
  around_.post([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    run_scheduled_ = false;
    RunSome();
  });
}

void ReconcileLoop::RunSome() {
  for (int i = 0; i < kPassesPerTurnMax && queue_.running() < kRunningMax; ++i) {
    const std::optional<WorkKey> key = queue_.Take(around_.clock.Now());
    if (!key) break;
    scope_.Spawn(Handle(*key));
  }
  // When too much is under way, the end of any of it comes back here; what is due waits for that, and
  // would only be asked for again and again.
  if (queue_.running() >= kRunningMax) return;
  if (queue_.HasDue(around_.clock.Now())) ScheduleRun();
  AskForWake();
}

void ReconcileLoop::AskForWake() {
  const std::optional<TimePoint> next = queue_.NextWake();
  if (!next || (wake_asked_ && *wake_asked_ <= *next)) return;
  wake_asked_ = next;
  around_.wake_at(*next);
}

http::Task<void> ReconcileLoop::Handle(WorkKey key) {
  const std::shared_ptr<const Json> object = reader_.Find(key.object);
  ReconcilePlan plan = MakePlan(key, object);
  ++counts_.passes;
  Status status = Ok();
  if (!plan.writes.empty()) {
    http::Task<Status> execution = executor_.Execute(std::move(plan.writes));
    status = co_await execution;
  }
  Finish(key, status, plan, object);
  ScheduleRun();
}

void ReconcileLoop::Finish(const WorkKey& key, const Status& status, const ReconcilePlan& plan,
                           const std::shared_ptr<const Json>& object) {
  if (status) {
    if (object) DoEffects(plan, key.object, *object);
    std::optional<TimePoint> wake_at;
    if (plan.wake_at) wake_at = around_.clock.Now() + (*plan.wake_at - around_.clock.Wall());
    queue_.Finish(key, wake_at);
    return;
  }
  if (status.error().code == Code::kAborted) {
    ++counts_.conflicts;
    queue_.Again(key);
    return;
  }
  ++counts_.failures;
  const int failures = queue_.Retry(key, around_.clock.Now(), Jitter());
  if (Told(failures)) {
    Log(Level::kWarn, "reconcile_failing",
        {{"resource", key.object.resource},
         {"namespace", key.object.ns},
         {"name", key.object.name},
         {"failures", failures},
         {"error", status.error().message}});
  }
}

// ---- plans

ReconcilePlan ReconcileLoop::MakePlan(const WorkKey& key,
                                      const std::shared_ptr<const Json>& object) {
  if (key.work == Work::kReconcile) return PlanReconcile(key.object, object);
  if (!object) return {};
  return CollectGarbage(reader_.ReadGarbage(key.object, object));
}

ReconcilePlan ReconcileLoop::PlanReconcile(const ObjectKey& key,
                                           const std::shared_ptr<const Json>& object) {
  if (key.resource == resource::kNamespaces) return PlanNamespace(key, object);
  if (key.resource == resource::kRoutes) return PlanRoute(key, object);
  if (key.resource == resource::kRevisions) return PlanRevision(key, object);
  if (key.resource == resource::kDomainMappings && !object)
    return WithoutDomainMapping(key, reader_.Find(ClaimOf(key.name)));
  // What is being deleted is left to its finalizers.
  if (!object || api::IsBeingDeleted(*object)) return {};
  if (key.resource == resource::kDomainMappings) return PlanDomainMapping(key, object);
  const WallTime now = around_.clock.Wall();
  if (key.resource == resource::kServices)
    return ReconcileService(reader_.ReadService(object), now);
  if (key.resource == resource::kConfigurations) {
    return ReconcileConfiguration(reader_.ReadConfiguration(object), config_.retention, now);
  }
  return {};
}

ReconcilePlan ReconcileLoop::PlanRoute(const ObjectKey& key,
                                       const std::shared_ptr<const Json>& object) {
  const WallTime now = around_.clock.Wall();
  if (!object || api::IsBeingDeleted(*object)) {
    const RouteInputs marked = reader_.ReadMarks(key);
    ReconcilePlan plan;
    PlanRoutingStateWithout(key.name, marked.configurations, marked.revisions, now, plan);
    return plan;
  }
  RouteInputs in = reader_.ReadRoute(object);
  in.programmed = [this, &key](std::string_view fingerprint) {
    return around_.routes.Programmed(key.ns, key.name, fingerprint);
  };
  return ReconcileRoute(in, config_, now);
}

ReconcilePlan ReconcileLoop::PlanDomainMapping(const ObjectKey& key,
                                               const std::shared_ptr<const Json>& object) {
  DomainMappingInputs in = reader_.ReadDomainMapping(object);
  in.programmed = [this, &key](std::string_view fingerprint) {
    return around_.routes.Programmed(key.ns, key.name, fingerprint);
  };
  return ReconcileDomainMapping(in, config_, around_.clock.Wall());
}

ReconcilePlan ReconcileLoop::PlanRevision(const ObjectKey& key,
                                          const std::shared_ptr<const Json>& object) {
  if (!object || api::IsBeingDeleted(*object)) {
    resolutions_.Forget(key);
    return {};
  }
  if (HasDigests(*object)) resolutions_.Forget(key);
  const RevisionInputs in{.revision = object,
                          .observed = around_.revisions.Observe(key.ns, key.name),
                          .images = resolutions_.Of(key)};
  return ReconcileRevision(in, config_, around_.clock.Wall());
}

ReconcilePlan ReconcileLoop::PlanNamespace(const ObjectKey& key,
                                           const std::shared_ptr<const Json>& object) {
  if (!object) return {};
  if (api::IsBeingDeleted(*object)) return EmptyNamespace(key, *object, reader_.ReadNamespace(key.name));
  const ObjectKey account{resource::kServiceAccounts, key.name, "default"};
  ReconcilePlan plan;
  if (!reader_.Find(account)) plan.writes.push_back(CreateObject{account, DefaultServiceAccount(key.name)});
  return plan;
}

// ---- effects

void ReconcileLoop::DoEffects(const ReconcilePlan& plan, const ObjectKey& key, const Json& object) {
  for (const Effect& effect : plan.effects) {
    if (const auto* resolve = std::get_if<ResolveImage>(&effect))
      StartResolution(key, object, resolve->image);
    if (const auto* event = std::get_if<RecordEvent>(&effect))
      events_.Record(object, *event, kComponent);
  }
}

void ReconcileLoop::StartResolution(const ObjectKey& key, const Json& revision,
                                    const std::string& image) {
  const auto named = [this, &key](const char* resource) {
    return [this, resource, ns = key.ns](std::string_view name) {
      return reader_.Find({resource, ns, std::string(name)});
    };
  };
  const NamedObjects objects{.config_map = nullptr,
                             .secret = named(resource::kSecrets),
                             .service_account = named(resource::kServiceAccounts)};
  resolutions_.Start(key, image, PullAuthOf(api::ObjectAt(revision, {"spec"}), objects), Jitter());
}

ReconcileCounts ReconcileLoop::counts() const {
  ReconcileCounts counts = counts_;
  counts.waiting = queue_.waiting();
  counts.running = queue_.running();
  return counts;
}

double ReconcileLoop::Jitter() const {
  return static_cast<double>(around_.random() >> 11) / static_cast<double>(uint64_t{1} << 53);
}

}  // namespace updraft::controller
