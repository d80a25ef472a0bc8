// A prepared SQLite statement, finalised with its owner. One thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace updraft::store {

// What SQLite last complained about, as an error that may pass: kUnavailable.
inline Error SqliteError(sqlite3* database, const std::string& doing) {
  return {Code::kUnavailable, doing + ": " + sqlite3_errmsg(database)};
}

class SqliteStatement {
 public:
  SqliteStatement() = default;
  SqliteStatement(SqliteStatement&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteStatement& operator=(SqliteStatement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~SqliteStatement() { sqlite3_finalize(statement_); }

  static Result<SqliteStatement> Prepare(sqlite3* database, const char* sql) {
    SqliteStatement statement;
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement.statement_,
                           nullptr) != SQLITE_OK) {
      return SqliteError(database, "prepare");
    }
    return statement;
  }

  // Parameters count from 1. Blobs must stay as they are until Reset().
  void Bind(int index, int64_t value) { sqlite3_bind_int64(statement_, index, value); }
  void BindBlob(int index, std::string_view value) {
    sqlite3_bind_blob64(statement_, index, value.data(), value.size(), SQLITE_STATIC);
  }
  void BindNull(int index) { sqlite3_bind_null(statement_, index); }

  // True: a row is there; false: it is done. Reset() follows in any case, before the next Bind.
  Result<bool> Step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return SqliteError(sqlite3_db_handle(statement_), "step");
  }
  void Reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string Blob(int column) const {
    const void* bytes = sqlite3_column_blob(statement_, column);  // null when it is empty
    const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return size == 0 ? std::string() : std::string(static_cast<const char*>(bytes), size);
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// Resets a statement when the scope ends, on every path out of it.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(SqliteStatement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.Reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  SqliteStatement& statement_;
};

}  // namespace updraft::store
