#include "controller/objects/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/store/memory_store.h"
#include "tests/contract/store/callback_queue.h"
#include "tests/unit/controller/objects/run_task.h"

namespace updraft::controller {
namespace {

using store::CallbackQueue;
using store::MemoryStore;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kServices[] = "serving.knative.dev/services";

ObjectKey Service(std::string name, std::string ns = "default") {
  return {.resource = kServices, .ns = std::move(ns), .name = std::move(name)};
}
Json Object(const std::string& name, const std::string& value = "") {
  return {{"kind", "Service"}, {"metadata", {{"name", name}}}, {"spec", {{"value", value}}}};
}
std::string Text(const Change& change) {
  const char* type = change.type == Change::Type::kAdded      ? "+"
                     : change.type == Change::Type::kModified ? "~"
                                                              : "-";
  return type + (*change.object)["metadata"]["name"].get<std::string>() + "=" +
         (*change.object)["spec"]["value"].get<std::string>() + "@" +
         std::to_string(change.revision);
}

class ObjectStoreTest : public testing::Test {
 protected:
  ObjectStoreTest() { Reopen({}); }

  void Reopen(ObjectStoreOptions options) {
    objects_.reset();
    objects_ = std::make_unique<ObjectStore>(store_, options);
    EXPECT_TRUE(Run(objects_->Load()));
  }
  template <typename T>
  T Run(http::Task<T> task) {
    return RunTask(queue_, std::move(task));
  }
  Stored Create(ObjectKey key, Json object) {
    Result<Stored> stored = Run(objects_->Create(std::move(key), std::move(object)));
    EXPECT_TRUE(stored) << stored.error().message;
    return stored ? *stored : Stored{};
  }
  ObjectStore::WatchId Watch(std::string_view ns, int64_t from, std::vector<std::string>& seen) {
    Result<ObjectStore::WatchId> id = objects_->Watch(
        kServices, ns, from, [&seen](const Change& change) { seen.push_back(Text(change)); });
    EXPECT_TRUE(id) << id.error().message;
    return id ? *id : 0;
  }
  std::vector<std::string> Names(std::string_view ns) {
    std::vector<std::string> names;
    for (const auto& object : objects_->List(kServices, ns).objects) {
      names.push_back((*object)["metadata"]["name"]);
    }
    return names;
  }

  CallbackQueue queue_;
  MemoryStore store_{queue_.post()};
  std::unique_ptr<ObjectStore> objects_;
};

TEST_F(ObjectStoreTest, WhatIsCreatedCanBeReadWithItsResourceVersion) {
  const Stored stored = Create(Service("a"), Object("a", "1"));
  EXPECT_EQ((*stored.object)["metadata"]["resourceVersion"], std::to_string(stored.revision));
  const std::optional<Stored> read = objects_->Get(Service("a"));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read->object, *stored.object);
  EXPECT_EQ(read->revision, stored.revision);
  EXPECT_EQ(objects_->revision(), stored.revision);
  EXPECT_FALSE(objects_->Get(Service("b")));
  EXPECT_FALSE(objects_->Get(Service("a", "other")));
}

TEST_F(ObjectStoreTest, AWriteIsVisibleOnlyOnceItIsCommitted) {
  http::Scope scope;
  bool finished = false;
  scope.Spawn(ThenSet(objects_->Create(Service("a"), Object("a")), &finished));
  EXPECT_FALSE(finished);
  EXPECT_FALSE(objects_->Get(Service("a")));
  queue_.RunUntil([&] { return finished; });
  EXPECT_TRUE(objects_->Get(Service("a")));
}

TEST_F(ObjectStoreTest, ASecondCreateIsRefused) {
  Create(Service("a"), Object("a", "1"));
  const Result<Stored> second = Run(objects_->Create(Service("a"), Object("a", "2")));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
  EXPECT_EQ((*objects_->Get(Service("a"))->object)["spec"]["value"], "1");
}

TEST_F(ObjectStoreTest, UpdatesNeedTheRevisionThatTheyReplace) {
  const Stored first = Create(Service("a"), Object("a", "1"));
  const Result<Stored> second =
      Run(objects_->Update(Service("a"), Object("a", "2"), first.revision));
  ASSERT_TRUE(second);
  EXPECT_GT(second->revision, first.revision);
  const Result<Stored> stale =
      Run(objects_->Update(Service("a"), Object("a", "3"), first.revision));
  EXPECT_EQ(stale.error().code, Code::kAborted);
  const Result<Stored> absent = Run(objects_->Update(Service("b"), Object("b"), 1));
  EXPECT_EQ(absent.error().code, Code::kNotFound);
  EXPECT_EQ((*objects_->Get(Service("a"))->object)["spec"]["value"], "2");
}

TEST_F(ObjectStoreTest, OfTwoUpdatesAtOnceOneWinsAndTheLoserSeesTheWinnersState) {
  const Stored first = Create(Service("a"), Object("a", "1"));
  http::Scope scope;
  bool done = false;
  bool done_too = false;
  std::optional<Result<Stored>> one;
  std::optional<Result<Stored>> two;
  scope.Spawn(
      ThenKeep(objects_->Update(Service("a"), Object("a", "2"), first.revision), &one, &done));
  scope.Spawn(
      ThenKeep(objects_->Update(Service("a"), Object("a", "3"), first.revision), &two, &done_too));
  queue_.RunUntil([&] { return done_too; });
  EXPECT_EQ((*objects_->Get(Service("a"))->object)["spec"]["value"], "2")
      << "visible before the loser goes on";
  queue_.RunUntil([&] { return done; });
  EXPECT_TRUE(*one);
  EXPECT_EQ(two->error().code, Code::kAborted);
}

// Tells of changes one turn after it has acknowledged them, as etcd may.
class LateStore : public MemoryStore {
 public:
  explicit LateStore(store::Post post) : MemoryStore(post), post_(std::move(post)) {}

  WatchId Watch(store::KeyRange keys, int64_t from, store::WatchCallbacks callbacks) override {
    auto later = [post = post_, tell = std::move(callbacks.on_events)](
                     const store::EventBatch& batch) { post([tell, batch] { tell(batch); }); };
    callbacks.on_events = std::move(later);
    return MemoryStore::Watch(std::move(keys), from, std::move(callbacks));
  }

 private:
  const store::Post post_;
};

TEST(LateObjectStoreTest, WritesAndConflictsAreToldOnceTheirCauseIsVisible) {
  CallbackQueue queue;
  LateStore store(queue.post());
  ObjectStore objects(store);
  ASSERT_TRUE(RunTask(queue, objects.Load()));
  const Result<Stored> first = RunTask(queue, objects.Create(Service("a"), Object("a", "1")));
  ASSERT_TRUE(first);
  EXPECT_EQ(objects.Get(Service("a"))->revision, first->revision);

  http::Scope scope;
  bool won = false;
  bool lost = false;
  std::optional<Result<Stored>> winner;
  std::optional<Result<Stored>> loser;
  scope.Spawn(
      ThenKeep(objects.Update(Service("a"), Object("a", "2"), first->revision), &winner, &won));
  scope.Spawn(
      ThenKeep(objects.Update(Service("a"), Object("a", "3"), first->revision), &loser, &lost));
  queue.RunUntil([&lost] { return lost; });
  EXPECT_EQ(loser->error().code, Code::kAborted);
  EXPECT_EQ((*objects.Get(Service("a"))->object)["spec"]["value"], "2")
      << "so that a retry can succeed";
  queue.RunUntil([&won] { return won; });
  EXPECT_EQ(*winner->value().object, *objects.Get(Service("a"))->object);
}

TEST_F(ObjectStoreTest, AnUpdateThatChangesNothingWritesNothing) {
  const Stored first = Create(Service("a"), Object("a", "1"));
  Json same = *first.object;
  same["metadata"].erase("resourceVersion");
  const Result<Stored> second = Run(objects_->Update(Service("a"), same, first.revision));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->revision, first.revision);
  EXPECT_EQ(objects_->revision(), first.revision);
}

TEST_F(ObjectStoreTest, DeleteGivesTheLastStateAndHonoursTheExpectedRevision) {
  const Stored first = Create(Service("a"), Object("a", "1"));
  EXPECT_EQ(Run(objects_->Delete(Service("a"), first.revision + 7)).error().code, Code::kAborted);
  const Result<Stored> deleted = Run(objects_->Delete(Service("a"), first.revision));
  ASSERT_TRUE(deleted);
  EXPECT_EQ((*deleted->object)["spec"]["value"], "1");
  EXPECT_EQ((*deleted->object)["metadata"]["resourceVersion"], std::to_string(deleted->revision));
  EXPECT_FALSE(objects_->Get(Service("a")));
  EXPECT_EQ(Run(objects_->Delete(Service("a"), std::nullopt)).error().code, Code::kNotFound);
  EXPECT_EQ(objects_->Count(kServices), 0u);
}

TEST_F(ObjectStoreTest, AnUnconditionalDeleteOutlastsAConcurrentUpdate) {
  const Stored first = Create(Service("a"), Object("a", "1"));
  http::Scope scope;
  bool updated = false;
  bool deleted = false;
  std::optional<Result<Stored>> last;
  std::optional<Result<Stored>> update;
  scope.Spawn(ThenKeep(objects_->Update(Service("a"), Object("a", "2"), first.revision), &update,
                       &updated));
  scope.Spawn(ThenKeep(objects_->Delete(Service("a"), std::nullopt), &last, &deleted));
  queue_.RunUntil([&] { return updated && deleted; });
  ASSERT_TRUE(*last);
  EXPECT_EQ((*last.value()->object)["spec"]["value"], "2");
  EXPECT_FALSE(objects_->Get(Service("a")));
}

TEST_F(ObjectStoreTest, ListsAreSortedAndLimitedToTheirNamespace) {
  Create(Service("b"), Object("b"));
  Create(Service("a"), Object("a"));
  Create(Service("c", "other"), Object("c"));
  Create({.resource = "configmaps", .ns = "default", .name = "x"}, Object("x"));
  EXPECT_THAT(Names("default"), ElementsAre("a", "b"));
  EXPECT_THAT(Names("other"), ElementsAre("c"));
  EXPECT_THAT(Names(""), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Names("none"), IsEmpty());
  EXPECT_EQ(objects_->Count(kServices), 3u);
  EXPECT_EQ(objects_->List(kServices, "").revision, objects_->revision());
}

// All names, page by page, with `between` run after each page.
std::vector<std::string> Paged(ObjectStore& objects, CallbackQueue& queue, PageRequest request,
                               const std::function<void()>& between) {
  std::vector<std::string> names;
  while (true) {
    const Result<ObjectPage> page = RunTask(queue, objects.ListPage(request));
    EXPECT_TRUE(page) << page.error().message;
    if (!page) return names;
    EXPECT_LE(page->objects.size(), request.limit);
    for (const auto& object : page->objects)
      names.push_back((*object)["metadata"]["name"].get<std::string>() +
                      (*object)["spec"]["value"].get<std::string>());
    if (!page->more) return names;
    request.revision = page->revision;
    request.after_ns = page->keys.back().ns;
    request.after_name = page->keys.back().name;
    between();
  }
}

TEST_F(ObjectStoreTest, APagedListShowsOneRevisionWhateverChangesInBetween) {
  // In the order of the keys: a dash is before the slash that ends a namespace.
  Create(Service("a", "n"), Object("a", "1"));
  Create(Service("b", "n"), Object("b", "1"));
  Create(Service("c", "n-x"), Object("c", "1"));
  Create(Service("d", "na"), Object("d", "1"));
  Create(Service("e", "na"), Object("e", "1"));
  Create({.resource = "configmaps", .ns = "n", .name = "x"}, Object("x"));
  const auto expected = ElementsAre("c1", "a1", "b1", "d1", "e1");
  EXPECT_THAT(Names(""), ElementsAre("c", "a", "b", "d", "e"));
  EXPECT_THAT(Paged(*objects_, queue_, {.resource = kServices, .limit = 2}, [] {}), expected);
  EXPECT_THAT(Paged(*objects_, queue_, {.resource = kServices, .ns = "n", .limit = 1}, [] {}),
              ElementsAre("a1", "b1"));

  int times = 0;
  const auto change = [&] {
    if (times++ == 0) {
      ASSERT_TRUE(Run(objects_->Delete(Service("b", "n"), std::nullopt)));
      Create(Service("a", "na"), Object("new"));
      return;
    }
    const Stored last = *objects_->Get(Service("e", "na"));
    ASSERT_TRUE(Run(
        objects_->Update(Service("e", "na"), Object("e", std::to_string(times)), last.revision)));
  };
  EXPECT_THAT(Paged(*objects_, queue_, {.resource = kServices, .limit = 2}, change), expected);
  EXPECT_EQ(times, 2);
}

TEST_F(ObjectStoreTest, APageSaysHowManyThereAreAndWhenItsRevisionIsGone) {
  Reopen({.history_changes_max = 4});
  for (int i = 0; i < 5; ++i) Create(Service("s" + std::to_string(i)), Object("s", ""));
  const ObjectPage first = *Run(objects_->ListPage({.resource = kServices, .limit = 2}));
  EXPECT_TRUE(first.more);
  EXPECT_EQ(first.total, 5u);
  EXPECT_EQ(first.revision, objects_->revision());
  const PageRequest next{.resource = kServices,
                         .limit = 2,
                         .revision = first.revision,
                         .after_ns = "default",
                         .after_name = "s1"};
  // Changes of other resources leave the list in memory as it was.
  for (int i = 0; i < 20; ++i)
    Create({.resource = "configmaps", .ns = "n", .name = std::to_string(i)}, Object("x"));
  EXPECT_EQ(Run(objects_->ListPage(next))->keys.front().name, "s2");
  Create(Service("s9"), Object("s", ""));
  EXPECT_EQ(Run(objects_->ListPage(next)).error().code, Code::kOutOfRange);
  EXPECT_EQ(Run(objects_->ListPage({.resource = kServices, .revision = 1'000})).error().code,
            Code::kOutOfRange);
}

TEST_F(ObjectStoreTest, AWatchTellsThePastAfterItsRevisionAndThenEachChange) {
  const Stored first = Create(Service("a"), Object("a", "1"));
  const Result<Stored> second =
      Run(objects_->Update(Service("a"), Object("a", "2"), first.revision));
  std::vector<std::string> seen;
  Watch("", first.revision, seen);
  EXPECT_THAT(seen, ElementsAre("~a=2@3"));
  Create(Service("b", "other"), Object("b", "1"));
  ASSERT_TRUE(Run(objects_->Delete(Service("a"), std::nullopt)));
  EXPECT_THAT(seen, ElementsAre("~a=2@3", "+b=1@4", "-a=2@5"));
}

TEST_F(ObjectStoreTest, AWatchOfOneNamespaceSeesNoOther) {
  std::vector<std::string> seen;
  Watch("other", objects_->revision(), seen);
  Create(Service("a"), Object("a", "1"));
  Create(Service("b", "other"), Object("b", "1"));
  EXPECT_THAT(seen, ElementsAre("+b=1@3"));
}

TEST_F(ObjectStoreTest, AWatchOfAllResourcesSeesEveryChangeWithItsKey) {
  const int64_t start = objects_->revision();
  const ObjectKey map{.resource = "configmaps", .ns = "default", .name = "x"};
  Create(map, Object("x"));
  std::vector<ObjectKey> seen;
  ASSERT_TRUE(objects_->Watch("", "", start, [&seen](const Change& c) { seen.push_back(c.key); }));
  Create(Service("a"), Object("a"));
  EXPECT_THAT(seen, ElementsAre(map, Service("a")));
  EXPECT_THAT(objects_->Resources(), ElementsAre("configmaps", kServices));
}

TEST_F(ObjectStoreTest, ChangesCarryThePreviousState) {
  std::vector<Change> seen;
  ASSERT_TRUE(objects_->Watch(kServices, "", objects_->revision(),
                              [&](const Change& c) { seen.push_back(c); }));
  const Stored first = Create(Service("a"), Object("a", "1"));
  ASSERT_TRUE(Run(objects_->Update(Service("a"), Object("a", "2"), first.revision)));
  ASSERT_TRUE(Run(objects_->Delete(Service("a"), std::nullopt)));
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].previous, nullptr);
  EXPECT_EQ(*seen[1].previous, *first.object);
  EXPECT_EQ((*seen[2].previous)["spec"]["value"], "2");
  EXPECT_EQ((*seen[2].previous)["metadata"]["resourceVersion"], std::to_string(seen[1].revision));
}

TEST_F(ObjectStoreTest, AWatchMayUnwatchItselfAndWatchAnewFromWithin) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  ObjectStore::WatchId id = 0;
  const Result<ObjectStore::WatchId> watch =
      objects_->Watch(kServices, "", objects_->revision(), [&](const Change& change) {
        first.push_back(Text(change));
        objects_->Unwatch(id);
        Watch("", change.revision, second);
      });
  id = *watch;
  Create(Service("a"), Object("a", "1"));
  Create(Service("b"), Object("b", "1"));
  EXPECT_THAT(first, ElementsAre("+a=1@2"));
  EXPECT_THAT(second, ElementsAre("+b=1@3"));
}

TEST_F(ObjectStoreTest, WatchesOutsideOfTheHistoryAreRefused) {
  Reopen({.history_changes_max = 3});
  for (int i = 0; i < 6; ++i)
    Create(Service("a" + std::to_string(i)), Object("a", std::to_string(i)));
  const auto ignore = [](const Change&) {};
  EXPECT_EQ(objects_->oldest_watchable_revision(), 4);
  EXPECT_EQ(objects_->Watch(kServices, "", 3, ignore).error().code, Code::kOutOfRange);
  EXPECT_EQ(objects_->Watch(kServices, "", 8, ignore).error().code, Code::kOutOfRange);
  std::vector<std::string> seen;
  Watch("", 4, seen);
  EXPECT_THAT(seen, ElementsAre("+a=3@5", "+a=4@6", "+a=5@7"));
}

TEST_F(ObjectStoreTest, TheHistoryIsBoundedInBytesToo) {
  Reopen({.history_bytes_max = 1000});
  Create(Service("a"), Object("a", std::string(900, 'x')));
  Create(Service("b"), Object("b", std::string(900, 'x')));
  EXPECT_EQ(objects_->oldest_watchable_revision(), 2);
}

TEST_F(ObjectStoreTest, TheStoreIsCompactedAlongWithTheHistory) {
  Reopen({.history_changes_max = 8});
  Stored stored = Create(Service("a"), Object("a", "0"));
  for (int i = 1; i < 40; ++i) {
    stored = *Run(objects_->Update(Service("a"), Object("a", std::to_string(i)), stored.revision));
  }
  const Result<store::Bounds> bounds = store::Await<store::Bounds>(
      queue_, [&](store::Done<store::Bounds> done) { store_.ReadBounds(std::move(done)); });
  EXPECT_EQ(bounds->compacted, objects_->oldest_watchable_revision());
}

TEST_F(ObjectStoreTest, ARestartKeepsObjectsRevisionsAndTheHistory) {
  const Stored a = Create(Service("a"), Object("a", "1"));
  ASSERT_TRUE(Run(objects_->Update(Service("a"), Object("a", "2"), a.revision)));
  Create(Service("gone"), Object("gone", "1"));
  ASSERT_TRUE(Run(objects_->Delete(Service("gone"), std::nullopt)));
  const int64_t revision = objects_->revision();
  const Json before = *objects_->Get(Service("a"))->object;

  Reopen({});
  EXPECT_EQ(objects_->revision(), revision);
  EXPECT_EQ(*objects_->Get(Service("a"))->object, before);
  EXPECT_FALSE(objects_->Get(Service("gone")));
  std::vector<std::string> seen;
  Watch("", a.revision, seen);
  EXPECT_THAT(seen, ElementsAre("~a=2@3", "+gone=1@4", "-gone=1@5"));
  EXPECT_EQ(Create(Service("b"), Object("b")).revision, revision + 1);
}

TEST_F(ObjectStoreTest, ARestartAfterCompactionStartsFromWhatWasKept) {
  Reopen({.history_changes_max = 4});
  for (int i = 0; i < 20; ++i)
    Create(Service("a" + std::to_string(i)), Object("a", std::to_string(i)));
  const int64_t oldest = objects_->oldest_watchable_revision();
  const int64_t revision = objects_->revision();
  queue_.RunPending();
  Reopen({.history_changes_max = 4});
  EXPECT_EQ(objects_->revision(), revision);
  EXPECT_EQ(objects_->oldest_watchable_revision(), oldest);
  EXPECT_EQ(objects_->Count(kServices), 20u);
}

TEST_F(ObjectStoreTest, BytesThatAreNoTextAreRepairedRatherThanRefused) {
  const Stored stored = Create(Service("a"), Object("a", "bad \xff byte"));
  EXPECT_EQ((*stored.object)["spec"]["value"], "bad \xEF\xBF\xBD byte");
  Reopen({});
  EXPECT_EQ(*objects_->Get(Service("a"))->object, *stored.object);
}

TEST_F(ObjectStoreTest, KeysThatCouldBeMistakenForOthersAreRefused) {
  EXPECT_EQ(Run(objects_->Create(Service("a/b"), Object("a"))).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(Run(objects_->Create(Service(""), Object("a"))).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Run(objects_->Create(Service("a"), Json::array())).error().code,
            Code::kInvalidArgument);
}

TEST_F(ObjectStoreTest, TenThousandObjectsAreWrittenTogetherListedAndWatched) {
  constexpr size_t kCount = 10'000;
  size_t changes = 0;
  ASSERT_TRUE(objects_->Watch(kServices, "many", objects_->revision(),
                              [&changes](const Change&) { ++changes; }));
  http::Scope scope;
  size_t done = 0;
  for (size_t i = 0; i < kCount; ++i) {
    const std::string name = "s" + std::to_string(i);
    scope.Spawn(ThenCount(objects_->Create(Service(name, "many"), Object(name)), &done));
  }
  queue_.RunUntil([&done] { return done == kCount; });
  EXPECT_EQ(objects_->List(kServices, "many").objects.size(), kCount);
  EXPECT_EQ(changes, kCount);
}

}  // namespace
}  // namespace updraft::controller
