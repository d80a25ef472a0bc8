// What the SQLite store promises about the disk: acknowledged writes survive kill -9, a full disk
// loses nothing, a file that is not ours is left alone.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "core/store/sqlite_store.h"
#include "tests/contract/store/callback_queue.h"

namespace updraft::store {
namespace {

class SqliteCrash : public testing::Test {
 protected:
  SqliteCrash() {
    folder_ =
        std::filesystem::temp_directory_path() / ("updraft-sqlite-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~SqliteCrash() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "store.db").string(); }

  std::unique_ptr<SqliteStore> Open(CallbackQueue& queue) {
    Result<std::unique_ptr<SqliteStore>> opened = SqliteStore::Open(path(), queue.post());
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(opened).value() : nullptr;
  }
  static Result<Outcome> Put(CallbackQueue& queue, Store& store, std::string key,
                             std::string value) {
    return Await<Outcome>(queue, [&](Done<Outcome> done) {
      store.Commit({{}, {{.key = std::move(key), .value = std::move(value)}}}, std::move(done));
    });
  }
  static RangeResult ReadAll(CallbackQueue& queue, Store& store) {
    return *Await<RangeResult>(queue, [&](Done<RangeResult> done) {
      store.Range({.keys = {"", ""}}, std::move(done));
    });
  }

  std::filesystem::path folder_;
};

constexpr int64_t kHistory = 3'000;  // revisions, more than one round of the test makes

// Writes pairs of keys for ever, many at a time, and says on `report` which were acknowledged.
[[noreturn]] void WriteUntilKilled(const std::string& path, int report, int64_t first) {
  CallbackQueue queue;
  Result<std::unique_ptr<SqliteStore>> store = SqliteStore::Open(path, queue.post());
  if (!store) _exit(1);
  constexpr int kOutstanding = 48;
  int outstanding = 0;
  for (int64_t next = first;; ++next) {
    const std::string id = std::to_string(next);
    Transaction pair;
    pair.operations.push_back({.key = "a/" + id, .value = std::string(200, 'x') + id});
    pair.operations.push_back({.key = "b/" + id, .value = id});
    ++outstanding;
    store.value()->Commit(std::move(pair),
                          [&outstanding, report, next](const Result<Outcome>& outcome) {
                            --outstanding;
                            if (!outcome || !outcome->applied) _exit(2);
                            const int64_t line[] = {next, outcome->revision};
                            if (write(report, line, sizeof(line)) != sizeof(line)) _exit(3);
                          });
    if (next % 500 == 0) {
      store.value()->ReadBounds([&store](const Result<Bounds>& bounds) {
        // As far behind as whoever watches may be: see kHistory.
        const int64_t oldest = std::max<int64_t>(bounds->compacted, bounds->current - kHistory);
        store.value()->Compact(oldest, [](const Status&) {});
      });
    }
    queue.RunUntil([&outstanding] { return outstanding < kOutstanding; });
  }
}

TEST_F(SqliteCrash, NothingAcknowledgedIsLostByKillNine) {
  constexpr unsigned kSeed = 3;
  std::mt19937 random(kSeed);
  std::map<int64_t, int64_t> acknowledged;  // and their revisions
  std::map<std::string, int64_t> watched;   // what a client that resumes has been told so far
  int64_t first = 1;
  int64_t revision = 1;
  for (int round = 0; round < 8; ++round) {
    int report[2];
    ASSERT_EQ(pipe(report), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(report[0]);
      WriteUntilKilled(path(), report[1], first);
    }
    close(report[1]);
    const size_t kill_after = 200 + random() % 1500;
    size_t heard = 0;
    // The pipe may hold acknowledgements from before the kill: they count too.
    int64_t line[2];
    while (read(report[0], line, sizeof(line)) == sizeof(line)) {
      acknowledged[line[0]] = line[1];
      if (++heard == kill_after) kill(child, SIGKILL);
    }
    close(report[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the writer failed by itself";

    CallbackQueue queue;
    const auto store = Open(queue);
    ASSERT_TRUE(store);
    const RangeResult all = ReadAll(queue, *store);
    EXPECT_GT(all.revision, revision) << "revisions never go back";
    store->Watch({"", ""}, revision + 1,
                 {.on_events =
                      [&watched](const EventBatch& batch) {
                        for (const Event& event : batch.events)
                          watched[event.entry.key] = event.entry.mod_revision;
                      },
                  .on_end = [](const Error& error) { ADD_FAILURE() << error.message; }});
    revision = Await<Bounds>(queue, [&](Done<Bounds> done) {
                 store->ReadBounds(std::move(done));
               })->current;  // by then the watch has told all
    std::map<std::string, int64_t> there;
    for (const KeyValue& entry : all.entries) {
      there[entry.key] = entry.mod_revision;
      first = std::max<int64_t>(first, std::stoll(entry.key.substr(2)) + 1);
    }
    EXPECT_EQ(there, watched) << "whoever resumes a watch has missed something";
    for (const auto& [key, at] : there) {
      const auto other = there.find((key[0] == 'a' ? "b" : "a") + key.substr(1));
      EXPECT_TRUE(other != there.end() && other->second == at) << "half a transaction was kept";
    }
    for (const auto& [id, at] : acknowledged) {
      const auto kept = there.find("a/" + std::to_string(id));
      EXPECT_TRUE(kept != there.end() && kept->second == at) << "an acknowledged write is lost";
    }
  }
  RecordProperty("acknowledged", static_cast<int>(acknowledged.size()));
  EXPECT_GT(acknowledged.size(), 1500u);
}

TEST_F(SqliteCrash, AnOrderlyEndCommitsWhatWasQueuedAndTheNextGoesOn) {
  CallbackQueue queue;
  {
    const auto store = Open(queue);
    for (int i = 0; i < 100; ++i) {
      store->Commit({{}, {{.key = "k" + std::to_string(i), .value = "v"}}},
                    [](const Result<Outcome>&) {});
    }
  }
  const auto store = Open(queue);
  const RangeResult all = ReadAll(queue, *store);
  EXPECT_EQ(all.entries.size(), 100u);
  EXPECT_EQ(all.revision, 101);
  EXPECT_EQ(Put(queue, *store, "next", "v")->revision, 102);
}

TEST_F(SqliteCrash, TheHistoryAndItsBoundsOutliveTheProcess) {
  CallbackQueue queue;
  {
    const auto store = Open(queue);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(Put(queue, *store, "k", std::to_string(i)));
    const Status compacted = Await<std::monostate>(
        queue, [&](Done<std::monostate> done) { store->Compact(4, std::move(done)); });
    ASSERT_TRUE(compacted);
  }
  const auto store = Open(queue);
  const Bounds bounds =
      *Await<Bounds>(queue, [&](Done<Bounds> done) { store->ReadBounds(std::move(done)); });
  EXPECT_EQ(bounds.compacted, 4);
  EXPECT_EQ(bounds.current, 6);
  std::vector<int64_t> seen;
  store->Watch(WithPrefix("k"), 5,
               {.on_events =
                    [&seen](const EventBatch& batch) {
                      for (const Event& event : batch.events)
                        seen.push_back(event.entry.mod_revision);
                    },
                .on_end = [](const Error&) {}});
  queue.RunUntil([&seen] { return seen.size() == 2; });
  EXPECT_EQ(seen, (std::vector<int64_t>{5, 6}));
}

TEST_F(SqliteCrash, TheFileDoesNotGrowWithTheNumberOfWritesWhenItIsCompacted) {
  CallbackQueue queue;
  const auto store = Open(queue);
  const auto write_and_compact = [&](int rounds) {
    for (int round = 0; round < rounds; ++round) {
      int answered = 0;
      for (int i = 0; i < 200; ++i) {
        store->Commit(
            {{}, {{.key = "k" + std::to_string(i % 10), .value = std::string(1000, 'x')}}},
            [&answered](const Result<Outcome>&) { ++answered; });
      }
      queue.RunUntil([&answered] { return answered == 200; });
      const Bounds bounds =
          *Await<Bounds>(queue, [&](Done<Bounds> done) { store->ReadBounds(std::move(done)); });
      const Status compacted = Await<std::monostate>(queue, [&](Done<std::monostate> done) {
        store->Compact(bounds.current, std::move(done));
      });
      ASSERT_TRUE(compacted);
    }
  };
  write_and_compact(10);
  const auto before = std::filesystem::file_size(path());
  write_and_compact(30);
  EXPECT_LE(std::filesystem::file_size(path()), before + (64 << 10));
}

TEST_F(SqliteCrash, AFullDiskRefusesWritesAndLosesNothing) {
  CallbackQueue queue;
  const auto store = Open(queue);
  ASSERT_TRUE(Put(queue, *store, "before", "1"));
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 256 << 10, .rlim_max = old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Result<Outcome> refused = Put(queue, *store, "big", std::string(1 << 20, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  signal(SIGXFSZ, handler);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  const Result<Outcome> after = Put(queue, *store, "after", "1");
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->revision, 3) << "the refused one got no revision";
  const RangeResult all = ReadAll(queue, *store);
  ASSERT_EQ(all.entries.size(), 2u);
  EXPECT_EQ(all.entries[0].key, "after");
  EXPECT_EQ(all.entries[1].key, "before");
}

TEST_F(SqliteCrash, AFileThatIsOpenElsewhereIsRefused) {
  CallbackQueue queue;
  const auto store = Open(queue);
  const Result<std::unique_ptr<SqliteStore>> second = SqliteStore::Open(path(), queue.post());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition) << second.error().message;
}

TEST_F(SqliteCrash, AFileThatIsNoDatabaseIsRefusedAndKept) {
  std::ofstream(path()) << std::string(5000, 'n');
  CallbackQueue queue;
  const Result<std::unique_ptr<SqliteStore>> opened = SqliteStore::Open(path(), queue.post());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kInternal) << opened.error().message;
  EXPECT_EQ(std::filesystem::file_size(path()), 5000u);
}

TEST_F(SqliteCrash, AFileOfANewerFormatIsRefused) {
  CallbackQueue queue;
  Open(queue).reset();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
  sqlite3_exec(database, "PRAGMA user_version=99", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  const Result<std::unique_ptr<SqliteStore>> opened = SqliteStore::Open(path(), queue.post());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kFailedPrecondition) << opened.error().message;
}

}  // namespace
}  // namespace updraft::store
