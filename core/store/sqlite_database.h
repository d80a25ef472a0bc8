// The revisioned keys of a Store in one SQLite file: the part that blocks on the disk.
//
// One row per version of a key, its rowid the revision and the place in the transaction, so that
// rows lie on disk in the order of their history. WAL with synchronous=FULL: what CommitBatch() has
// returned for survives a crash of the process and of the machine.
//
// One thread at a time; the file is locked against other processes while it is open.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/store/sqlite_statement.h"
#include "core/store/store.h"

namespace updraft::store {

class SqliteDatabase {
 public:
  // Makes the file and its folder if they are absent. kFailedPrecondition: another process has it,
  // or a newer version of Updraft wrote it; kInternal: it is no database or damaged; kUnavailable.
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  int64_t revision() const { return revision_; }
  int64_t compacted() const { return compacted_; }

  // Transactions between Begin and CommitBatch share one write to the disk. When any of the calls
  // fails the caller calls Rollback and none of them has happened. `events` gets what was changed.
  Status Begin();
  Result<Outcome> Apply(const Transaction& transaction, std::vector<Event>& events);
  Status CommitBatch();
  void Rollback();

  // Outside of a batch.
  Result<RangeResult> Range(const RangeRequest& request);
  // kOutOfRange: `from_revision` was compacted.
  Result<EventBatch> EventsSince(const KeyRange& keys, int64_t from_revision);
  Status Compact(int64_t revision);

 private:
  struct Latest {
    bool exists = false;
    int64_t mod_revision = 0;
    int64_t create_revision = 0;
  };

  SqliteDatabase() = default;
  Status Configure(const std::string& path);
  Status CreateSchema();
  Status PrepareStatements();
  Status ReadRevisions();
  Status Execute(const char* sql);
  Result<int64_t> QueryInt(const char* sql);
  Result<Latest> ReadLatest(const std::string& key);
  Status Insert(int64_t id, const std::string& key, int64_t create_revision,
                const std::string* value);
  Status DeleteOlder(SqliteStatement& statement, int64_t revision);

  sqlite3* database_ = nullptr;
  int64_t revision_ = 1;
  int64_t committed_ = 1;  // revision_ as of the last CommitBatch
  int64_t compacted_ = 1;
  SqliteStatement latest_;
  SqliteStatement insert_;
  SqliteStatement range_;
  SqliteStatement events_;
  SqliteStatement delete_superseded_;
  SqliteStatement delete_deletions_;
  SqliteStatement set_compacted_;
};

}  // namespace updraft::store
