// Keys with revisions: what etcd offers, so that etcd fits behind it.
//
// Each transaction that changes something gets a revision of its own, later than all before it,
// which all its changes share. (SQLite and memory count one by one; an etcd counts what others do
// too.) Transactions on a common key happen in the order in which they were asked for. Every
// version of a key is kept until it is compacted, so that a watch can start in the past.
//
// All methods are called on one thread, the loop's. They return at once; their callbacks run on
// that thread later, never from within the call, through the Post function that the implementation
// was made with. Once the Store is destroyed no callback runs. Queued transactions are committed
// first.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace updraft::store {

// etcd's own limits, enforced by every implementation: kInvalidArgument beyond them.
inline constexpr size_t kTransactionBytesMax = 1'500'000;  // keys and values together
inline constexpr size_t kOperationsMax = 128;

// Has its argument run on the loop's thread, in the order of the calls. Safe for concurrent use.
using Post = std::function<void(std::function<void()>)>;

template <typename T>
using Done = std::function<void(Result<T>)>;

struct KeyValue {
  std::string key = {};
  std::string value = {};
  int64_t create_revision = 0;  // when the key last came into being
  int64_t mod_revision = 0;     // when it was last put

  bool operator==(const KeyValue&) const = default;
};

// The keys in [begin, end), byte by byte. An empty `end` means all from `begin` on.
struct KeyRange {
  std::string begin = {};
  std::string end = {};

  bool Contains(std::string_view key) const { return key >= begin && (end.empty() || key < end); }
};

// All keys that start with `prefix`, which is not empty and whose last byte is not 0xff.
inline KeyRange WithPrefix(std::string prefix) {
  std::string end = prefix;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return {std::move(prefix), std::move(end)};
}

// Holds when the key's mod_revision is as given; 0: when the key does not exist.
struct Condition {
  std::string key = {};
  int64_t mod_revision = 0;
};

struct Operation {
  enum class Type { kPut, kDelete };
  Type type = Type::kPut;
  std::string key = {};    // at most once in a transaction
  std::string value = {};  // kPut
};

// All operations, if all conditions hold, or nothing.
struct Transaction {
  std::vector<Condition> conditions = {};
  std::vector<Operation> operations = {};
};

struct Outcome {
  bool applied = false;  // the conditions held
  int64_t revision = 0;  // the store's, after it; a transaction that changed nothing adds none
  // Not applied: the mod_revision of the first key whose condition failed, 0 when it does not
  // exist.
  int64_t conflict_revision = 0;
};

struct RangeRequest {
  KeyRange keys = {};
  int64_t revision = 0;  // as of then; 0: now, all that was queued before included
  size_t limit = 0;      // 0: none
};

struct RangeResult {
  std::vector<KeyValue> entries = {};  // by key
  int64_t revision = 0;                // the store's when it was read
  bool more = false;                   // cut by the limit
};

struct Event {
  enum class Type { kPut, kDelete };
  Type type = Type::kPut;
  KeyValue entry = {};  // kDelete: key and mod_revision alone, the latter being the deletion's

  bool operator==(const Event&) const = default;
};

// Changes in the order of their revisions; a revision is never split over two batches.
struct EventBatch {
  int64_t revision = 0;            // all changes up to it have been told
  std::vector<Event> events = {};  // may be empty: a sign of progress
};

struct WatchCallbacks {
  std::function<void(const EventBatch&)> on_events = {};
  // The watch is over. kOutOfRange: its start was compacted; kUnavailable: events may be missing.
  std::function<void(const Error&)> on_end = {};
};

struct Bounds {
  int64_t compacted = 0;  // Range works from here on, Watch from the revision after it
  int64_t current = 0;
};

class Store {
 public:
  using WatchId = uint64_t;

  virtual ~Store() = default;

  // Durable once `done` is told so. Conditions that do not hold are no error but `applied` = false.
  // kInvalidArgument; kUnavailable: nothing was changed, or (etcd) it is not known;
  // kResourceExhausted: too many are waiting.
  virtual void Commit(Transaction transaction, Done<Outcome> done) = 0;

  // kOutOfRange: `revision` is compacted or in the future.
  virtual void Range(RangeRequest request, Done<RangeResult> done) = 0;

  // Tells changes to `keys` with revisions >= `from_revision`: the past ones, then live. The order
  // among a transaction's `done` and its events is not defined.
  virtual WatchId Watch(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks) = 0;
  virtual void Unwatch(WatchId id) = 0;  // no callback follows; no effect on an unknown id

  // Forgets versions that were superseded at or before `revision`. kOutOfRange: it is in the future
  // or was compacted before.
  virtual void Compact(int64_t revision, Done<std::monostate> done) = 0;

  // Comes after everything that was asked for before, and after the watches that began before it
  // have been told what happened up to `current`.
  virtual void ReadBounds(Done<Bounds> done) = 0;
};

}  // namespace updraft::store
