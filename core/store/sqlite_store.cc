#include "core/store/sqlite_store.h"

#include <utility>

#include "core/store/validate.h"

namespace updraft::store {
namespace {

constexpr size_t kWritesPerCommitMax = 1024;

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(const std::string& path, Post post) {
  Result<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::Open(path);
  if (!database) return database.error();
  return std::unique_ptr<SqliteStore>(
      new SqliteStore(std::move(database).value(), std::move(post)));
}

SqliteStore::SqliteStore(std::unique_ptr<SqliteDatabase> database, Post post)
    : post_(std::move(post)), database_(std::move(database)) {
  thread_ = std::make_unique<NamedThread>("store", [this] { Work(); });
}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.reset();
}

void SqliteStore::Commit(Transaction transaction, Done<Outcome> done) {
  if (Status valid = Validate(transaction); !valid) {
    PostIfAlive([error = valid.error(), done = std::move(done)] { done(error); });
    return;
  }
  Enqueue({.write = std::make_unique<Write>(Write{std::move(transaction), std::move(done)}),
           .other = {}});
}

void SqliteStore::Range(RangeRequest request, Done<RangeResult> done) {
  // `done` goes back to the loop whole: what it holds is not for this thread to release.
  Enqueue({.write = nullptr,
           .other = [this, request = std::move(request), done = std::move(done)]() mutable {
             PostIfAlive(
                 [result = database_->Range(request), done = std::move(done)] { done(result); });
           }});
}

Store::WatchId SqliteStore::Watch(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks) {
  const WatchId id = watches_.Add(keys, from_revision, std::move(callbacks));
  // The past is read between two commits and started before the later one's events are delivered:
  // both come through `post`, in order.
  Enqueue({.write = nullptr, .other = [this, id, keys = std::move(keys), from_revision] {
             Result<EventBatch> past = database_->EventsSince(keys, from_revision);
             PostIfAlive([this, id, past = std::move(past)] {
               if (past) {
                 watches_.Start(id, *past);
               } else {
                 watches_.End(id, past.error());
               }
             });
           }});
  return id;
}

void SqliteStore::Unwatch(WatchId id) { watches_.Remove(id); }

void SqliteStore::Compact(int64_t revision, Done<std::monostate> done) {
  Enqueue({.write = nullptr, .other = [this, revision, done = std::move(done)]() mutable {
             PostIfAlive(
                 [result = database_->Compact(revision), done = std::move(done)] { done(result); });
           }});
}

void SqliteStore::ReadBounds(Done<Bounds> done) {
  Enqueue({.write = nullptr, .other = [this, done = std::move(done)]() mutable {
             PostIfAlive([bounds = Bounds{database_->compacted(), database_->revision()},
                          done = std::move(done)] { done(bounds); });
           }});
}

void SqliteStore::Enqueue(Request request) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    wake = queue_.empty();
    queue_.push_back(std::move(request));
  }
  if (wake) changed_.notify_one();
}

void SqliteStore::PostIfAlive(std::function<void()> callback) {
  post_([alive = std::weak_ptr(alive_), callback = std::move(callback)] {
    if (!alive.expired()) callback();
  });
}

void SqliteStore::Work() {
  while (true) {
    std::vector<std::unique_ptr<Write>> writes;
    std::function<void()> other;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      while (!queue_.empty() && queue_.front().write && writes.size() < kWritesPerCommitMax) {
        writes.push_back(std::move(queue_.front().write));
        queue_.pop_front();
      }
      if (writes.empty()) {
        other = std::move(queue_.front().other);
        queue_.pop_front();
      }
    }
    if (other) {
      other();
    } else {
      CommitTogether(std::move(writes));
    }
  }
}

void SqliteStore::CommitTogether(std::vector<std::unique_ptr<Write>> writes) {
  std::vector<Result<Outcome>> outcomes;
  EventBatch batch;
  Status status = ApplyAll(writes, outcomes, batch);
  if (!status) {
    database_->Rollback();
    outcomes.assign(writes.size(), Context("write to the store", status.error()));
    batch.events.clear();
  }
  batch.revision = database_->revision();
  auto told = std::make_shared<std::vector<std::unique_ptr<Write>>>(std::move(writes));
  PostIfAlive(
      [this, told = std::move(told), outcomes = std::move(outcomes), batch = std::move(batch)] {
        for (size_t i = 0; i < told->size(); ++i) (*told)[i]->done(outcomes[i]);
        if (!batch.events.empty()) watches_.Deliver(batch);
      });
}

Status SqliteStore::ApplyAll(const std::vector<std::unique_ptr<Write>>& writes,
                             std::vector<Result<Outcome>>& outcomes, EventBatch& batch) {
  if (Status begun = database_->Begin(); !begun) return begun;
  for (const std::unique_ptr<Write>& write : writes) {
    Result<Outcome> outcome = database_->Apply(write->transaction, batch.events);
    if (!outcome) return outcome.error();
    outcomes.push_back(std::move(outcome));
  }
  return database_->CommitBatch();
}

}  // namespace updraft::store
