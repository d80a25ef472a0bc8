// A Store in one SQLite file: the default, for one machine.
//
// A thread of its own, "store", does all that waits for the disk. Transactions that arrive while it
// syncs go together into the next commit, so that the rate of writes is not the rate of syncs.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "core/store/sqlite_database.h"
#include "core/store/store.h"
#include "core/store/watch_list.h"

namespace updraft::store {

class SqliteStore : public Store {
 public:
  // See SqliteDatabase::Open. `post` is called from the store's thread.
  static Result<std::unique_ptr<SqliteStore>> Open(const std::string& path, Post post);
  ~SqliteStore() override;

  void Commit(Transaction transaction, Done<Outcome> done) override;
  void Range(RangeRequest request, Done<RangeResult> done) override;
  WatchId Watch(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks) override;
  void Unwatch(WatchId id) override;
  void Compact(int64_t revision, Done<std::monostate> done) override;
  void ReadBounds(Done<Bounds> done) override;

 private:
  struct Write {
    Transaction transaction;
    Done<Outcome> done;
  };
  // Writes that stand together are committed together; anything else runs in its turn, on the
  // thread.
  struct Request {
    std::unique_ptr<Write> write;
    std::function<void()> other;
  };

  SqliteStore(std::unique_ptr<SqliteDatabase> database, Post post);
  void Enqueue(Request request);
  void PostIfAlive(std::function<void()> callback);

  // Store's thread.
  void Work();
  void CommitTogether(std::vector<std::unique_ptr<Write>> writes);
  Status ApplyAll(const std::vector<std::unique_ptr<Write>>& writes,
                  std::vector<Result<Outcome>>& outcomes, EventBatch& batch);

  const Post post_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  // Loop thread only.
  WatchList watches_;

  // Store's thread only, once it runs.
  const std::unique_ptr<SqliteDatabase> database_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> queue_;
  bool stop_ = false;

  std::unique_ptr<NamedThread> thread_;
};

}  // namespace updraft::store
