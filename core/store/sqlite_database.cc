#include "core/store/sqlite_database.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

namespace updraft::store {
namespace {

constexpr int kFormat = 1;
constexpr int kApplicationId = 0x55706472;  // "Updr", so that file(1) and we know our own

// A rowid holds the revision and, in its low bits, the operation's place in the transaction.
constexpr int kPlaceBits = 8;
static_assert(kOperationsMax <= (1u << kPlaceBits));

int64_t FirstRow(int64_t revision) { return revision << kPlaceBits; }
int64_t LastRow(int64_t revision) { return (revision << kPlaceBits) | ((1 << kPlaceBits) - 1); }
int64_t RevisionOf(int64_t row) { return row >> kPlaceBits; }

constexpr char kSchema[] =
    "CREATE TABLE versions("
    "  id INTEGER PRIMARY KEY, key BLOB NOT NULL, create_revision INTEGER NOT NULL, value BLOB);"
    "CREATE UNIQUE INDEX versions_by_key ON versions(key, id);"
    "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO state VALUES('compacted', 1);";

constexpr char kLatest[] =
    "SELECT id, create_revision, value IS NULL FROM versions WHERE key = ?1 ORDER BY id DESC LIMIT "
    "1";
constexpr char kInsert[] =
    "INSERT INTO versions(id, key, create_revision, value) VALUES(?1, ?2, ?3, ?4)";
constexpr char kRange[] =
    "SELECT v.id, v.key, v.create_revision, v.value FROM versions AS v INDEXED BY versions_by_key "
    "WHERE v.key >= ?1 AND (?2 IS NULL OR v.key < ?2) AND v.id <= ?3 AND v.value IS NOT NULL "
    "AND NOT EXISTS(SELECT 1 FROM versions AS n WHERE n.key = v.key AND n.id > v.id AND n.id <= "
    "?3) "
    "ORDER BY v.key LIMIT ?4";
constexpr char kEvents[] =
    "SELECT id, key, create_revision, value FROM versions WHERE id >= ?1 ORDER BY id";

// Only keys that changed in (?1, ?2] can have gained a superseded version since the last
// compaction.
constexpr char kDeleteSuperseded[] =
    "DELETE FROM versions WHERE id IN (SELECT old.id FROM versions AS new "
    "JOIN versions AS old ON old.key = new.key AND old.id < new.id WHERE new.id > ?1 AND new.id <= "
    "?2)";
constexpr char kDeleteDeletions[] =
    "DELETE FROM versions WHERE id > ?1 AND id <= ?2 AND value IS NULL";
constexpr char kSetCompacted[] = "UPDATE state SET value = ?1 WHERE name = 'compacted'";

}  // namespace

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed)
    return Error{Code::kUnavailable, "create " + folder.string() + ": " + failed.message()};

  std::unique_ptr<SqliteDatabase> self(new SqliteDatabase());
  if (Status status = self->Configure(path); !status)
    return Context("open store " + path, status.error());
  return self;
}

SqliteDatabase::~SqliteDatabase() {
  for (SqliteStatement* statement : {&latest_, &insert_, &range_, &events_, &delete_superseded_,
                                     &delete_deletions_, &set_compacted_}) {
    *statement = SqliteStatement();  // before the connection that they belong to
  }
  sqlite3_close_v2(database_);
}

Status SqliteDatabase::Configure(const std::string& path) {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &database_, kFlags, nullptr) != SQLITE_OK) {
    return SqliteError(database_, "open");
  }
  // Exclusive before WAL: no other process can interfere, and no shared memory file is needed.
  for (const char* sql : {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL",
                          "PRAGMA synchronous=FULL", "PRAGMA journal_size_limit=16777216"}) {
    if (Status status = Execute(sql); !status) return status;
  }
  // A write lock taken now is kept: a second process learns at once that it is not alone.
  if (Status status = Execute("BEGIN IMMEDIATE"); !status) return status;
  Result<int64_t> format = QueryInt("PRAGMA user_version");
  if (!format) return format.error();
  if (*format > kFormat) {
    return Error{Code::kFailedPrecondition, "written by a newer version of Updraft"};
  }
  if (*format == 0) {
    if (Status status = CreateSchema(); !status) return status;
  }
  if (Status status = Execute("COMMIT"); !status) return status;
  if (Status status = PrepareStatements(); !status) return status;
  return ReadRevisions();
}

Status SqliteDatabase::CreateSchema() {
  const std::string marks = "PRAGMA user_version=" + std::to_string(kFormat) +
                            ";PRAGMA application_id=" + std::to_string(kApplicationId);
  if (Status status = Execute(kSchema); !status) return status;
  return Execute(marks.c_str());
}

Status SqliteDatabase::PrepareStatements() {
  const std::pair<SqliteStatement*, const char*> all[] = {
      {&latest_, kLatest},
      {&insert_, kInsert},
      {&range_, kRange},
      {&events_, kEvents},
      {&delete_superseded_, kDeleteSuperseded},
      {&delete_deletions_, kDeleteDeletions},
      {&set_compacted_, kSetCompacted},
  };
  for (const auto& [statement, sql] : all) {
    Result<SqliteStatement> prepared = SqliteStatement::Prepare(database_, sql);
    if (!prepared) return prepared.error();
    *statement = std::move(prepared).value();
  }
  return Ok();
}

Status SqliteDatabase::ReadRevisions() {
  Result<int64_t> compacted = QueryInt("SELECT value FROM state WHERE name = 'compacted'");
  if (!compacted) return compacted.error();
  Result<int64_t> newest = QueryInt("SELECT ifnull(max(id), 0) FROM versions");
  if (!newest) return newest.error();
  compacted_ = *compacted;
  // The newest rows may be deletions that were compacted away.
  revision_ = committed_ = std::max(RevisionOf(*newest), compacted_);
  return Ok();
}

Status SqliteDatabase::Begin() { return Execute("BEGIN IMMEDIATE"); }

Result<Outcome> SqliteDatabase::Apply(const Transaction& transaction, std::vector<Event>& events) {
  for (const Condition& condition : transaction.conditions) {
    Result<Latest> latest = ReadLatest(condition.key);
    if (!latest) return latest.error();
    const int64_t actual = latest->exists ? latest->mod_revision : 0;
    if (actual != condition.mod_revision) {
      return Outcome{.applied = false, .revision = revision_, .conflict_revision = actual};
    }
  }
  const int64_t revision = revision_ + 1;
  int64_t id = FirstRow(revision);
  for (const Operation& operation : transaction.operations) {
    Result<Latest> latest = ReadLatest(operation.key);
    if (!latest) return latest.error();
    const bool put = operation.type == Operation::Type::kPut;
    if (!put && !latest->exists) continue;
    Event event{.type = put ? Event::Type::kPut : Event::Type::kDelete,
                .entry = {.key = operation.key, .mod_revision = revision}};
    if (put) {
      event.entry.value = operation.value;
      event.entry.create_revision = latest->exists ? latest->create_revision : revision;
    }
    const Status inserted =
        Insert(id++, operation.key, event.entry.create_revision, put ? &operation.value : nullptr);
    if (!inserted) return inserted.error();
    events.push_back(std::move(event));
  }
  if (id != FirstRow(revision)) revision_ = revision;
  return Outcome{.applied = true, .revision = revision_};
}

Status SqliteDatabase::CommitBatch() {
  if (Status status = Execute("COMMIT"); !status) return status;
  committed_ = revision_;
  return Ok();
}

void SqliteDatabase::Rollback() {
  // SQLite has already rolled back after some errors; then there is nothing to do.
  if (sqlite3_get_autocommit(database_) == 0)
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  revision_ = committed_;
}

Result<RangeResult> SqliteDatabase::Range(const RangeRequest& request) {
  const int64_t as_of = request.revision == 0 ? revision_ : request.revision;
  if (as_of < compacted_) return Error{Code::kOutOfRange, "revision is compacted"};
  if (as_of > revision_) return Error{Code::kOutOfRange, "revision is in the future"};
  const ResetAtEnd reset(range_);
  range_.BindBlob(1, request.keys.begin);
  if (!request.keys.end.empty()) range_.BindBlob(2, request.keys.end);
  range_.Bind(3, LastRow(as_of));
  range_.Bind(4, request.limit == 0 ? -1 : static_cast<int64_t>(request.limit) + 1);
  RangeResult result{.entries = {}, .revision = revision_};
  while (true) {
    Result<bool> row = range_.Step();
    if (!row) return row.error();
    if (!*row) return result;
    if (request.limit != 0 && result.entries.size() == request.limit) {
      result.more = true;
      return result;
    }
    result.entries.push_back({.key = range_.Blob(1),
                              .value = range_.Blob(3),
                              .create_revision = range_.Int(2),
                              .mod_revision = RevisionOf(range_.Int(0))});
  }
}

Result<EventBatch> SqliteDatabase::EventsSince(const KeyRange& keys, int64_t from_revision) {
  if (from_revision <= compacted_) return Error{Code::kOutOfRange, "revision is compacted"};
  EventBatch batch{.revision = revision_, .events = {}};
  if (from_revision > revision_) return batch;
  const ResetAtEnd reset(events_);
  events_.Bind(1, FirstRow(from_revision));
  while (true) {
    Result<bool> row = events_.Step();
    if (!row) return row.error();
    if (!*row) return batch;
    Event event{.entry = {.key = events_.Blob(1), .mod_revision = RevisionOf(events_.Int(0))}};
    if (!keys.Contains(event.entry.key)) continue;
    if (events_.IsNull(3)) {
      event.type = Event::Type::kDelete;
    } else {
      event.entry.value = events_.Blob(3);
      event.entry.create_revision = events_.Int(2);
    }
    batch.events.push_back(std::move(event));
  }
}

Status SqliteDatabase::Compact(int64_t revision) {
  if (revision > revision_) return Error{Code::kOutOfRange, "revision is in the future"};
  if (revision < compacted_) return Error{Code::kOutOfRange, "revision was compacted before"};
  const auto compact = [this, revision]() -> Status {
    if (Status status = DeleteOlder(delete_superseded_, revision); !status) return status;
    if (Status status = DeleteOlder(delete_deletions_, revision); !status) return status;
    const ResetAtEnd reset(set_compacted_);
    set_compacted_.Bind(1, revision);
    if (Result<bool> stepped = set_compacted_.Step(); !stepped) return stepped.error();
    return Ok();
  };
  if (Status status = Begin(); !status) return status;
  Status status = compact();
  if (status) status = CommitBatch();
  if (!status) {
    Rollback();
    return status;
  }
  compacted_ = revision;
  return Ok();
}

Status SqliteDatabase::DeleteOlder(SqliteStatement& statement, int64_t revision) {
  const ResetAtEnd reset(statement);
  statement.Bind(1, LastRow(compacted_));
  statement.Bind(2, LastRow(revision));
  if (Result<bool> stepped = statement.Step(); !stepped) return stepped.error();
  return Ok();
}

Result<SqliteDatabase::Latest> SqliteDatabase::ReadLatest(const std::string& key) {
  const ResetAtEnd reset(latest_);
  latest_.BindBlob(1, key);
  Result<bool> row = latest_.Step();
  if (!row) return row.error();
  if (!*row || latest_.Int(2) != 0) return Latest{};
  return Latest{.exists = true,
                .mod_revision = RevisionOf(latest_.Int(0)),
                .create_revision = latest_.Int(1)};
}

Status SqliteDatabase::Insert(int64_t id, const std::string& key, int64_t create_revision,
                              const std::string* value) {
  const ResetAtEnd reset(insert_);
  insert_.Bind(1, id);
  insert_.BindBlob(2, key);
  insert_.Bind(3, create_revision);
  if (value != nullptr) insert_.BindBlob(4, *value);
  if (Result<bool> stepped = insert_.Step(); !stepped) return stepped.error();
  return Ok();
}

Status SqliteDatabase::Execute(const char* sql) {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return Ok();
  Error error = SqliteError(database_, sql);
  if (code == SQLITE_BUSY) return Error{Code::kFailedPrecondition, "another process has it open"};
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) error.code = Code::kInternal;
  return error;
}

Result<int64_t> SqliteDatabase::QueryInt(const char* sql) {
  Result<SqliteStatement> statement = SqliteStatement::Prepare(database_, sql);
  if (!statement) return statement.error();
  Result<bool> row = statement->Step();
  if (!row) return row.error();
  if (!*row) return Error{Code::kInternal, std::string("nothing found: ") + sql};
  return statement->Int(0);
}

}  // namespace updraft::store
