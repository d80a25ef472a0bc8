// What every Store does, run on each of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/store/etcd_store.h"
#include "core/store/memory_store.h"
#include "core/store/sqlite_store.h"
#include "tests/contract/store/callback_queue.h"
#include "tests/contract/store/etcd_process.h"

namespace updraft::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Operation Put(std::string key, std::string value) {
  return {.type = Operation::Type::kPut, .key = std::move(key), .value = std::move(value)};
}
Operation Remove(std::string key) {
  return {.type = Operation::Type::kDelete, .key = std::move(key), .value = {}};
}

// "key=value@revision" and "-key@revision", for short expectations.
std::string Text(const Event& event) {
  const std::string at = "@" + std::to_string(event.entry.mod_revision);
  if (event.type == Event::Type::kDelete) return "-" + event.entry.key + at;
  return event.entry.key + "=" + event.entry.value + at;
}

class StoreContract : public testing::TestWithParam<std::string> {
 protected:
  StoreContract() {
    if (GetParam() == "memory") {
      store_ = std::make_unique<MemoryStore>(queue_.post());
      return;
    }
    folder_ =
        std::filesystem::temp_directory_path() / ("updraft-store-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    if (GetParam() == "etcd") {
      OpenEtcd();
      return;
    }
    Result<std::unique_ptr<SqliteStore>> opened =
        SqliteStore::Open((folder_ / "new" / "store.db").string(), queue_.post());
    EXPECT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened).value();
  }
  ~StoreContract() override {
    store_.reset();
    etcd_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void SetUp() override {
    if (!store_) GTEST_SKIP() << "no etcd is installed";
  }
  void OpenEtcd() {
    if (!EtcdProcess::Installed()) return;
    etcd_ = std::make_unique<EtcdProcess>(
        EtcdProcess::Member{.folder = (folder_ / "etcd").string(), .flags = {"--unsafe-no-fsync"}});
    EtcdOptions options;
    options.endpoints = {etcd_->endpoint()};
    options.prefix = "/contract/";
    Result<std::unique_ptr<EtcdStore>> opened = EtcdStore::Open(std::move(options), queue_.post());
    EXPECT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened).value();
  }

  Result<Outcome> Commit(std::vector<Condition> conditions, std::vector<Operation> operations) {
    return Await<Outcome>(queue_, [&](Done<Outcome> done) {
      store_->Commit({std::move(conditions), std::move(operations)}, std::move(done));
    });
  }
  int64_t Write(std::vector<Operation> operations) {
    Result<Outcome> outcome = Commit({}, std::move(operations));
    EXPECT_TRUE(outcome && outcome->applied);
    return outcome->revision;
  }
  Result<RangeResult> Range(RangeRequest request) {
    return Await<RangeResult>(
        queue_, [&](Done<RangeResult> done) { store_->Range(request, std::move(done)); });
  }
  std::map<std::string, std::string> State(const std::string& prefix, int64_t revision = 0) {
    Result<RangeResult> result = Range({.keys = WithPrefix(prefix), .revision = revision});
    EXPECT_TRUE(result) << result.error().message;
    std::map<std::string, std::string> state;
    for (const KeyValue& entry : result->entries) state[entry.key] = entry.value;
    return state;
  }
  Status Compact(int64_t revision) {
    return Await<std::monostate>(
        queue_, [&](Done<std::monostate> done) { store_->Compact(revision, std::move(done)); });
  }
  Bounds ReadBounds() {
    return *Await<Bounds>(queue_, [&](Done<Bounds> done) { store_->ReadBounds(std::move(done)); });
  }
  // Everything that was asked of the store before has been told.
  void Settle() { ReadBounds(); }

  Store::WatchId Watch(KeyRange keys, int64_t from, std::vector<std::string>& seen) {
    return store_->Watch(
        std::move(keys), from,
        {.on_events =
             [&seen](const EventBatch& batch) {
               for (const Event& event : batch.events) seen.push_back(Text(event));
             },
         .on_end =
             [&seen](const Error& error) {
               seen.push_back("end " + std::to_string(static_cast<int>(error.code)));
             }});
  }

  CallbackQueue queue_;
  std::filesystem::path folder_;
  std::unique_ptr<EtcdProcess> etcd_;
  std::unique_ptr<Store> store_;
};

TEST_P(StoreContract, ANewStoreIsEmptyAtRevisionOne) {
  EXPECT_EQ(ReadBounds().current, 1);
  EXPECT_EQ(ReadBounds().compacted, 1);
  EXPECT_THAT(State("a"), IsEmpty());
}

TEST_P(StoreContract, EachTransactionGetsTheNextRevisionAndItsChangesShareIt) {
  EXPECT_EQ(Write({Put("a", "1")}), 2);
  EXPECT_EQ(Write({Put("a", "2"), Put("b", "1")}), 3);
  const Result<RangeResult> result = Range({.keys = {"a", "c"}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->revision, 3);
  EXPECT_THAT(result->entries, ElementsAre(KeyValue{"a", "2", 2, 3}, KeyValue{"b", "1", 3, 3}));
}

TEST_P(StoreContract, AKeyThatIsMadeAgainHasANewCreateRevision) {
  Write({Put("a", "1")});
  Write({Remove("a")});
  Write({Put("a", "2")});
  const Result<RangeResult> result = Range({.keys = WithPrefix("a")});
  EXPECT_THAT(result->entries, ElementsAre(KeyValue{"a", "2", 4, 4}));
}

TEST_P(StoreContract, ConditionsThatFailChangeNothingAndNameWhatIsInTheWay) {
  Write({Put("a", "1")});
  Result<Outcome> outcome = Commit({{"a", 0}}, {Put("a", "other"), Put("b", "other")});
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->applied);
  EXPECT_EQ(outcome->revision, 2);
  EXPECT_EQ(outcome->conflict_revision, 2);

  outcome = Commit({{"absent", 7}}, {Put("a", "other")});
  EXPECT_FALSE(outcome->applied);
  EXPECT_EQ(outcome->conflict_revision, 0);
  EXPECT_EQ(State("a"), (std::map<std::string, std::string>{{"a", "1"}}));
  EXPECT_THAT(State("b"), IsEmpty());
}

TEST_P(StoreContract, ConditionsThatHoldLetTheTransactionThrough) {
  Write({Put("a", "1")});
  Result<Outcome> outcome = Commit({{"a", 2}, {"b", 0}}, {Put("a", "2"), Put("b", "1")});
  EXPECT_TRUE(outcome->applied);
  EXPECT_EQ(outcome->revision, 3);
  outcome = Commit({{"a", 3}}, {Remove("a")});
  EXPECT_TRUE(outcome->applied);
  outcome = Commit({{"a", 0}}, {Put("a", "3")});
  EXPECT_TRUE(outcome->applied) << "a deleted key counts as absent";
}

TEST_P(StoreContract, OfManyWhoRaceForOneKeyOneWins) {
  int applied = 0;
  int answered = 0;
  for (int i = 0; i < 50; ++i) {
    store_->Commit({{{"a", 0}}, {Put("a", std::to_string(i))}}, [&](Result<Outcome> outcome) {
      applied += outcome->applied ? 1 : 0;
      ++answered;
    });
  }
  queue_.RunUntil([&] { return answered == 50; });
  EXPECT_EQ(applied, 1);
  EXPECT_EQ(State("a").at("a"), "0") << "they are taken in order";
}

TEST_P(StoreContract, DeletingNothingMakesNoRevision) {
  const int64_t before = Write({Put("a", "1")});
  EXPECT_EQ(Write({Remove("absent")}), before);
  EXPECT_EQ(ReadBounds().current, before);
}

TEST_P(StoreContract, KeysAndValuesMayHoldAnyBytes) {
  const std::string key("k\0\xff z", 5);
  const std::string value("\0\xfe\n", 3);
  Write({Put(key, value), Put("kempty", "")});
  EXPECT_EQ(State("k"), (std::map<std::string, std::string>{{key, value}, {"kempty", ""}}));
}

TEST_P(StoreContract, TransactionsThatBreakALimitAreRefused) {
  EXPECT_EQ(Commit({}, {Put("a", "1"), Remove("a")}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Commit({}, {Put("", "1")}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Commit({}, {Put("a", std::string(kTransactionBytesMax, 'x'))}).error().code,
            Code::kInvalidArgument);
  EXPECT_TRUE(Commit({{"absent", 1}}, {Put("a", std::string(kTransactionBytesMax - 1, 'x'))}));
  std::vector<Operation> many;
  for (size_t i = 0; i <= kOperationsMax; ++i) many.push_back(Put("k" + std::to_string(i), ""));
  EXPECT_EQ(Commit({}, many).error().code, Code::kInvalidArgument);
  many.pop_back();
  EXPECT_EQ(Write(many), 2);
  EXPECT_EQ(State("k").size(), kOperationsMax);
}

TEST_P(StoreContract, ARangeHoldsItsKeysInOrderAndSaysWhenItWasCut) {
  Write({Put("b", "1"), Put("a", "1"), Put("c", "1"), Put("ab", "1")});
  Result<RangeResult> result = Range({.keys = {"a", "c"}});
  ASSERT_THAT(result->entries, SizeIs(3));
  EXPECT_EQ(result->entries[1].key, "ab");
  EXPECT_FALSE(result->more);

  result = Range({.keys = {"a", ""}, .limit = 3});
  ASSERT_THAT(result->entries, SizeIs(3));
  EXPECT_TRUE(result->more);
  result = Range({.keys = {"a", ""}, .limit = 4});
  EXPECT_FALSE(result->more);
}

TEST_P(StoreContract, ARangeInThePastShowsWhatWasThen) {
  Write({Put("a", "1")});
  Write({Put("a", "2"), Put("b", "1")});
  Write({Remove("a")});
  using State = std::map<std::string, std::string>;
  EXPECT_EQ(StoreContract::State("a", 1), State());
  EXPECT_EQ(StoreContract::State("a", 2), (State{{"a", "1"}}));
  EXPECT_EQ(StoreContract::State("a", 3), (State{{"a", "2"}}));
  EXPECT_EQ(StoreContract::State("a", 4), State());
  EXPECT_EQ(Range({.keys = WithPrefix("a"), .revision = 5}).error().code, Code::kOutOfRange);
}

TEST_P(StoreContract, AWatchTellsThePastAndThenWhatComes) {
  Write({Put("a", "1")});
  Write({Put("a", "2"), Put("other", "1")});
  std::vector<std::string> seen;
  Watch(WithPrefix("a"), 3, seen);
  Write({Remove("a")});
  Write({Put("ab", "3")});
  Settle();
  EXPECT_THAT(seen, ElementsAre("a=2@3", "-a@4", "ab=3@5"));
}

TEST_P(StoreContract, AWatchAmongWritesSeesEachRevisionOnce) {
  int answered = 0;
  std::vector<std::vector<std::string>> seen(20);
  for (int i = 0; i < 200; ++i) {
    store_->Commit({{}, {Put("k", std::to_string(i))}}, [&](Result<Outcome>) { ++answered; });
    if (i % 10 == 5) Watch(WithPrefix("k"), 2, seen[static_cast<size_t>(i / 10)]);
    if (i % 7 == 0) queue_.RunPending();
  }
  queue_.RunUntil([&] { return answered == 200; });
  Settle();
  std::vector<std::string> all;
  for (int i = 0; i < 200; ++i)
    all.push_back("k=" + std::to_string(i) + "@" + std::to_string(i + 2));
  for (const auto& one : seen) EXPECT_EQ(one, all);
}

TEST_P(StoreContract, AWatchOfTheFutureBeginsThere) {
  std::vector<std::string> seen;
  Watch(WithPrefix("a"), 4, seen);
  Write({Put("a", "1")});
  Write({Put("a", "2")});
  Write({Put("a", "3")});
  Settle();
  EXPECT_THAT(seen, ElementsAre("a=3@4"));
}

TEST_P(StoreContract, NoCallbackFollowsUnwatchEvenFromWithinOne) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  const Store::WatchId gone = Watch(WithPrefix("a"), 2, first);
  store_->Unwatch(gone);
  Store::WatchId self = 0;
  self = store_->Watch(WithPrefix("a"), 2,
                       {.on_events =
                            [&](const EventBatch& batch) {
                              second.push_back(Text(batch.events.front()));
                              store_->Unwatch(self);
                            },
                        .on_end = [](const Error&) {}});
  Write({Put("a", "1")});
  Write({Put("a", "2")});
  Settle();
  EXPECT_THAT(first, IsEmpty());
  EXPECT_THAT(second, SizeIs(1));
}

TEST_P(StoreContract, CallbacksNeverRunFromWithinTheCall) {
  bool inside = true;
  int answered = 0;
  const auto check = [&] {
    EXPECT_FALSE(inside);
    ++answered;
  };
  store_->Commit({{}, {Put("a", "1")}}, [&](const Result<Outcome>&) { check(); });
  store_->Range({.keys = WithPrefix("a")}, [&](const Result<RangeResult>&) { check(); });
  store_->ReadBounds([&](const Result<Bounds>&) { check(); });
  store_->Compact(1, [&](const Status&) { check(); });
  store_->Watch(WithPrefix("a"), 2,
                {.on_events = [&](const EventBatch&) { check(); }, .on_end = [](const Error&) {}});
  inside = false;
  queue_.RunUntil([&] { return answered == 5; });
}

TEST_P(StoreContract, NoCallbackRunsOnceTheStoreIsGone) {
  int answered = 0;
  store_->Commit({{}, {Put("a", "1")}}, [&](const Result<Outcome>&) { ++answered; });
  store_->ReadBounds([&](const Result<Bounds>&) { ++answered; });
  store_.reset();
  queue_.RunPending();
  EXPECT_EQ(answered, 0);
}

TEST_P(StoreContract, CompactionForgetsWhatWasSupersededAndKeepsTheRest) {
  Write({Put("a", "1")});                 // 2
  Write({Put("a", "2"), Put("b", "1")});  // 3
  Write({Remove("b")});                   // 4
  Write({Put("a", "3")});                 // 5
  ASSERT_TRUE(Compact(4));
  EXPECT_EQ(ReadBounds().compacted, 4);

  EXPECT_EQ(Range({.keys = WithPrefix("a"), .revision = 3}).error().code, Code::kOutOfRange);
  EXPECT_EQ(State("a", 4), (std::map<std::string, std::string>{{"a", "2"}}));
  EXPECT_EQ(State("b", 4), (std::map<std::string, std::string>()));
  EXPECT_EQ(State("a"), (std::map<std::string, std::string>{{"a", "3"}}));

  std::vector<std::string> old;
  std::vector<std::string> recent;
  Watch(WithPrefix("a"), 4, old);
  Watch(WithPrefix("a"), 5, recent);
  Settle();
  EXPECT_THAT(old, ElementsAre("end 11"));
  EXPECT_THAT(recent, ElementsAre("a=3@5"));
}

TEST_P(StoreContract, CompactionOutsideOfTheHistoryIsRefused) {
  Write({Put("a", "1")});
  Write({Put("a", "2")});
  EXPECT_EQ(Compact(4).error().code, Code::kOutOfRange);
  EXPECT_TRUE(Compact(3));
  EXPECT_EQ(Compact(2).error().code, Code::kOutOfRange);
  EXPECT_TRUE(Compact(3));
}

TEST_P(StoreContract, ADeletedAndCompactedKeyCanBeMadeAgain) {
  Write({Put("a", "1")});
  Write({Remove("a")});
  ASSERT_TRUE(Compact(3));
  EXPECT_EQ(ReadBounds().current, 3);
  EXPECT_EQ(Commit({{"a", 0}}, {Put("a", "2")})->revision, 4);
  EXPECT_EQ(State("a").at("a"), "2");
}

// Random writes, with the store's past compared with a model's at every revision that is kept.
TEST_P(StoreContract, AgreesWithAModelOverARandomHistory) {
  std::mt19937 random(7);
  std::map<std::string, std::string> model;
  std::map<int64_t, std::map<std::string, std::string>> past{{1, {}}};
  std::vector<std::string> live;
  Watch(WithPrefix("k"), 2, live);
  int64_t compacted = 1;
  for (int step = 0; step < 600; ++step) {
    std::vector<Operation> operations;
    std::map<std::string, std::string> next = model;
    const size_t count = 1 + random() % 4;
    for (size_t i = 0; i < count; ++i) {
      const std::string key = "k" + std::to_string(i * 10 + random() % 10);
      if (random() % 3 == 0) {
        operations.push_back(Remove(key));
        next.erase(key);
      } else {
        operations.push_back(Put(key, std::to_string(step)));
        next[key] = std::to_string(step);
      }
    }
    const Result<Outcome> outcome = Commit({}, std::move(operations));
    ASSERT_TRUE(outcome && outcome->applied);
    model = next;
    past[outcome->revision] = model;
    if (step == 0) Settle();  // the watch has begun: a compaction no longer ends it
    if (step % 100 == 99) {
      compacted = outcome->revision - 50;
      ASSERT_TRUE(Compact(compacted));
    }
  }
  const Bounds bounds = ReadBounds();
  EXPECT_EQ(bounds.compacted, compacted);
  for (int64_t revision = compacted; revision <= bounds.current; ++revision) {
    EXPECT_EQ(State("k", revision), past.at(revision)) << "at revision " << revision;
  }
  // The past that a late watch is told is the end of what a live one saw.
  std::vector<std::string> late;
  Watch(WithPrefix("k"), compacted + 1, late);
  Settle();
  ASSERT_GE(live.size(), late.size());
  EXPECT_TRUE(std::equal(late.rbegin(), late.rend(), live.rbegin()));
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::Values("memory", "sqlite", "etcd"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace updraft::store
