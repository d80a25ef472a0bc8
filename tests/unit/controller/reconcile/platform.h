// The whole chain of reconcilers over stores in memory, with a runtime and activators that are made
// up. One thread, a fake clock; nothing moves unless it is told to.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controller/reconcile/host_rules.h"
#include "controller/reconcile/reconcile_loop.h"
#include "core/store/memory_store.h"
#include "tests/contract/store/callback_queue.h"
#include "tests/unit/controller/objects/flaky_store.h"
#include "tests/unit/controller/objects/run_task.h"
#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {

class FakeRegistry : public ImageResolver {
 public:
  std::map<std::string, Error> broken;  // images that cannot be resolved
  int asked = 0;

  http::Task<Result<std::string>> Resolve(std::string image,
                                          std::vector<v1::ImageAuth> auth) override {
    ++asked;
    last_auth = std::move(auth);
    if (const auto it = broken.find(image); it != broken.end()) co_return it->second;
    co_return std::string("sha256:") + std::string(64, 'd');
  }

  std::vector<v1::ImageAuth> last_auth;
};

// What the instances of revisions do once their digests are known.
class FakeRuntime : public RevisionObserver {
 public:
  std::map<std::string, RevisionObserved::Failure> crashing;  // by image
  std::map<std::string, RevisionObserved> seen;               // by "namespace/name"

  RevisionObserved Observe(std::string_view ns, std::string_view name) const override {
    const auto it = seen.find(std::string(ns) + "/" + std::string(name));
    return it == seen.end() ? RevisionObserved{.known = true} : it->second;
  }
};

class FakeActivators : public RouteObserver {
 public:
  bool Programmed(std::string_view ns, std::string_view name,
                  std::string_view fingerprint) const override {
    const auto it = programmed.find(std::string(ns) + "/" + std::string(name));
    return it != programmed.end() && it->second == fingerprint;
  }
  std::map<std::string, std::string> programmed;
};

class Platform {
 public:
  Platform() { StartController(); }

  // ---- the controller's process

  void StartController() {
    loop_.reset();
    soft_ = std::make_unique<ObjectStore>(soft_store_);
    objects_ = std::make_unique<ObjectStore>(flaky_);
    EXPECT_TRUE(Run(soft_->Load()));
    EXPECT_TRUE(Run(objects_->Load()));
    loop_ = std::make_unique<ReconcileLoop>(
        ReconcileSurroundings{.objects = *objects_,
                              .soft = *soft_,
                              .clock = clock,
                              .random = [this] { return ++last_random_ * 0x9e3779b97f4a7c15; },
                              .images = registry,
                              .revisions = runtime,
                              .routes = activators,
                              .post = queue_.post(),
                              .wake_at = [this](TimePoint when) { wakes_.insert(when); }},
        ServingConfig{.http_port = 8080});
    loop_->Start();
  }

  // One callback: the smallest step there is. False: nothing to do.
  bool Step() { return queue_.RunUpTo(1) != 0; }

  // The loop wants to be woken for something that is due already.
  bool AsksForWakeNow() const { return !wakes_.empty() && *wakes_.begin() <= clock.Now(); }
  // Time passes, and the loop is woken once.
  void SleepFor(Nanos by) {
    clock.Advance(by);
    std::erase_if(wakes_, [this](TimePoint when) { return when <= clock.Now(); });
    loop_->Wake();
    queue_.RunPending();
  }

  // ---- time and the world outside

  // Until nothing moves any more, with a runtime and activators that follow at once.
  void Settle() {
    do {
      queue_.RunPending();
    } while (Follow());
  }
  void SettleController() { queue_.RunPending(); }

  void Advance(Nanos by) {
    const TimePoint end = clock.Now() + by;
    while (!wakes_.empty() && *wakes_.begin() <= end) {
      clock.Advance(std::max(*wakes_.begin() - clock.Now(), Nanos(0)));
      wakes_.erase(wakes_.begin());
      loop_->Wake();
      Settle();
    }
    clock.Advance(end - clock.Now());
  }

  // ---- what users do

  void Create(const std::string& resource, Json object) {
    object["metadata"].erase("resourceVersion");
    object["metadata"]["uid"] = "user-" + std::to_string(++last_random_);
    object["metadata"]["creationTimestamp"] = api::FormatTimestamp(clock.Wall());
    const ObjectKey key = KeyOf(object, resource);
    const Result<Stored> created = Run(objects_->Create(key, std::move(object)));
    EXPECT_TRUE(created) << created.error().message;
  }
  void Edit(const ObjectKey& key, const std::function<void(Json&)>& edit) {
    const std::optional<Stored> stored = objects_->Get(key);
    ASSERT_TRUE(stored);
    Json edited = *stored->object;
    edit(edited);
    if (edited["spec"] != (*stored->object)["spec"]) {
      edited["metadata"]["generation"] = api::GenerationOf(edited) + 1;
    }
    EXPECT_TRUE(Run(objects_->Update(key, std::move(edited), stored->revision)));
  }
  void Delete(const ObjectKey& key, Propagation propagation) {
    const std::optional<Stored> stored = objects_->Get(key);
    ASSERT_TRUE(stored);
    std::optional<Json> marked = MarkDeleted(*stored->object, propagation, clock.Wall());
    if (marked) {
      EXPECT_TRUE(Run(objects_->Update(key, *marked, stored->revision)));
    } else {
      EXPECT_TRUE(Run(objects_->Delete(key, stored->revision)));
    }
  }

  // ---- what there is

  Json Get(const ObjectKey& key) const {
    const std::optional<Stored> stored = objects_->Get(key);
    return stored ? *stored->object : Json();
  }
  std::vector<std::string> All() const {
    std::vector<std::string> keys;
    for (const std::string& name : objects_->Resources()) {
      for (const JsonPtr& object : objects_->List(name, "").objects)
        keys.push_back(ShortKey(KeyOf(*object, name)));
    }
    return keys;
  }
  std::vector<std::string> EventReasons() const {
    std::vector<std::string> reasons;
    for (const JsonPtr& event : soft_->List(resource::kEvents, "").objects)
      reasons.push_back((*event)["reason"]);
    return reasons;
  }
  int64_t revision() const { return objects_->revision(); }
  ReconcileLoop& loop() { return *loop_; }
  // Objects that the controller has gone through in lists.
  uint64_t visited() const { return objects_->visited() - visited_here_; }

  FakeClock clock;
  FakeRegistry registry;
  FakeRuntime runtime;
  FakeActivators activators;
  FlakyStore& store() { return flaky_; }
  bool activators_follow = true;

 private:
  template <typename T>
  T Run(http::Task<T> task) {
    return RunTask(queue_, std::move(task));
  }

  // Brings runtime and activators to where the objects say; true when that was news.
  bool Follow() {
    bool news = false;
    const uint64_t before = objects_->visited();
    for (const JsonPtr& revision : objects_->List(resource::kRevisions, "").objects)
      news |= FollowRevision(*revision);
    for (const JsonPtr& route : objects_->List(resource::kRoutes, "").objects)
      news |= FollowRoute(*route);
    visited_here_ += objects_->visited() - before;
    return news;
  }
  bool FollowRevision(const Json& revision) {
    if (!HasDigests(revision)) return false;
    RevisionObserved wanted{.known = true,
                            .ready = 1,
                            .desired = 1,
                            .activity = Activity::kActive,
                            .initialized = true};
    const std::string image = revision["spec"]["containers"][0]["image"];
    if (const auto it = runtime.crashing.find(image); it != runtime.crashing.end()) {
      wanted = {
          .known = true, .desired = 1, .activity = Activity::kActivating, .failure = it->second};
    }
    const std::string ns = api::NamespaceOf(revision);
    const std::string name = api::NameOf(revision);
    RevisionObserved& seen = runtime.seen[ns + "/" + name];
    if (seen.known && seen.ready == wanted.ready &&
        seen.failure.has_value() == wanted.failure.has_value())
      return false;
    seen = wanted;
    loop_->RevisionChanged(ns, name);
    return true;
  }
  bool FollowRoute(const Json& route) {
    if (!activators_follow) return false;
    const std::vector<HostRule> rules = HostRulesOf(route, loop_->config());
    const std::string ns = api::NamespaceOf(route);
    const std::string fingerprint = Fingerprint(ns, rules);
    std::string& programmed = activators.programmed[ns + "/" + api::NameOf(route)];
    if (rules.empty() || programmed == fingerprint) return false;
    programmed = fingerprint;
    loop_->RouteChanged(ns, api::NameOf(route));
    return true;
  }

  store::CallbackQueue queue_;
  store::MemoryStore durable_{queue_.post()};
  store::MemoryStore soft_store_{queue_.post()};
  FlakyStore flaky_{durable_, queue_.post()};
  uint64_t last_random_ = 0;
  uint64_t visited_here_ = 0;
  std::set<TimePoint> wakes_;
  std::unique_ptr<ObjectStore> soft_;
  std::unique_ptr<ObjectStore> objects_;
  std::unique_ptr<ReconcileLoop> loop_;
};

}  // namespace updraft::controller
