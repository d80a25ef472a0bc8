// Keeps the stored objects what they should be: whatever changes is looked at, and what the
// reconcilers plan is carried out, with retries and back-off, never twice at once for one object.
//
//   stored changes ─┐                                        ┌─▶ writes (PlanExecutor)
//   RevisionChanged ─┼─▶ triggers ─▶ WorkQueue ─▶ reconciler ─┼─▶ image resolutions ─▶ back to the
//   queue time ────────────┘                                        └─▶ events
//
// Loop thread only. Does not know the loop: it is handed a way to be called again soon (`post`) and
// one to be called at a time (`wake_at`), so that tests and the simulation drive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controller/instances/instance_name.h"
#include "controller/objects/object_store.h"
#include "controller/reconcile/digest_resolutions.h"
#include "controller/reconcile/event_recorder.h"
#include "controller/reconcile/image_resolver.h"
#include "controller/reconcile/input_reader.h"
#include "controller/reconcile/object_index.h"
#include "controller/reconcile/observed.h"
#include "controller/reconcile/plan_executor.h"
#include "controller/reconcile/serving_config.h"
#include "controller/reconcile/work_queue.h"
#include "core/base/clock.h"
#include "core/store/store.h"

namespace updraft::controller {

// All must outlive the loop.
struct ReconcileSurroundings {
  ObjectStore& objects;  // loaded
  ObjectStore& soft;     // loaded; for events
  const Clock& clock;
  RandomSource random;
  ImageResolver& images;
  const RevisionObserver& revisions;
  const RouteObserver& routes;
  store::Post post;
  // Has Wake() called at that time or soon after it. Each call is on top of the earlier ones.
  std::function<void(TimePoint)> wake_at;
};

struct ReconcileCounts {
  uint64_t passes = 0;
  uint64_t conflicts = 0;  // plans that were out of date when they were carried out
  uint64_t failures = 0;   // plans that could not be carried out
  size_t waiting = 0;
  size_t running = 0;
};

class ReconcileLoop {
 public:
  ReconcileLoop(ReconcileSurroundings surroundings, ServingConfig config);
  ~ReconcileLoop();
  ReconcileLoop(const ReconcileLoop&) = delete;
  ReconcileLoop& operator=(const ReconcileLoop&) = delete;

  // Looks at every object there is and at every change from now on. Once.
  void Start();

  // What the observers say about it is different now.
  void RevisionChanged(std::string_view ns, std::string_view name);
  // A Route, or a DomainMapping: the latter's names alone have dots.
  void RouteChanged(std::string_view ns, std::string_view name);

  // All that it concerns is looked at again.
  void SetConfig(ServingConfig config);
  const ServingConfig& config() const { return config_; }

  void Wake();

  EventRecorder& events() { return events_; }
  ReconcileCounts counts() const;
  bool idle() const { return queue_.idle(); }

 private:
  void OnChange(const Change& change);
  void Add(WorkKey key);
  void AddAll(std::string_view resource);
  void ScheduleRun();
  void RunSome();
  void AskForWake();

  ReconcilePlan MakePlan(const WorkKey& key, const std::shared_ptr<const Json>& object);
  ReconcilePlan PlanReconcile(const ObjectKey& key, const std::shared_ptr<const Json>& object);
  ReconcilePlan PlanRoute(const ObjectKey& key, const std::shared_ptr<const Json>& object);
  ReconcilePlan PlanDomainMapping(const ObjectKey& key, const std::shared_ptr<const Json>& object);
  ReconcilePlan PlanRevision(const ObjectKey& key, const std::shared_ptr<const Json>& object);
  ReconcilePlan PlanNamespace(const ObjectKey& key, const std::shared_ptr<const Json>& object);
  http::Task<void> Handle(WorkKey key);
  void Finish(const WorkKey& key, const Status& status, const ReconcilePlan& plan,
              const std::shared_ptr<const Json>& object);
  void DoEffects(const ReconcilePlan& plan, const ObjectKey& key, const Json& object);
  void StartResolution(const ObjectKey& key, const Json& revision, const std::string& image);
  double Jitter() const;

  const ReconcileSurroundings around_;
  ServingConfig config_;
  ObjectIndex index_;
  InputReader reader_;
  PlanExecutor executor_;
  DigestResolutions resolutions_;
  EventRecorder events_;
  WorkQueue queue_;
  ReconcileCounts counts_;
  ObjectStore::WatchId watch_ = 0;
  bool run_scheduled_ = false;
  std::optional<TimePoint> wake_asked_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  http::Scope scope_;
};

}  // namespace updraft::controller
