// The resources that users see, held in memory as JSON, indexed by resource and namespace, and kept
// by a store::Store.
//
// Everything committed is in memory: reads never wait. Writes go to the Store and become visible,
// to readers and watchers alike, in the order of their revisions once they are committed; a write's
// task resumes after its own change is visible. `metadata.resourceVersion` is the revision of the
// object's last change: it is set here and ignored in what is written.
//
// Loop thread only. There are two: the durable one (specs, statuses, secrets) and the soft one
// (pods, nodes, events), whose Store is in memory.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"
#include "core/base/result.h"
#include "core/http/task.h"
#include "core/store/store.h"

namespace updraft::controller {

using Json = nlohmann::json;

struct ObjectKey {
  std::string resource =
      {};               // "serving.knative.dev/services"; for core kinds the plural alone: "pods"
  std::string ns = {};  // empty: cluster scoped
  std::string name = {};

  auto operator<=>(const ObjectKey&) const = default;
};

struct Stored {
  std::shared_ptr<const Json> object = {};
  int64_t revision = 0;  // of its last change; equals metadata.resourceVersion
};

struct Change {
  enum class Type { kAdded, kModified, kDeleted };
  Type type = Type::kAdded;
  std::shared_ptr<const Json> object =
      {};  // kDeleted: the last state, with the deletion's resourceVersion
  std::shared_ptr<const Json> previous = {};  // null for kAdded
  int64_t revision = 0;
  ObjectKey key = {};
};

struct ListResult {
  std::vector<std::shared_ptr<const Json>> objects = {};  // by namespace, then name
  int64_t revision = 0;  // of the whole store: a Watch from here misses nothing
};

// A part of a list. The first one asks for no revision and no place; each further one for the
// revision that the first one had, and to go on after the last object that came.
struct PageRequest {
  std::string resource = {};
  std::string ns = {};   // empty: all namespaces
  size_t limit = 0;      // 0: all
  int64_t revision = 0;  // as of then; 0: now
  std::string after_ns = {};
  std::string after_name = {};  // empty: from the beginning
};

struct ObjectPage {
  std::vector<ObjectKey> keys = {};                       // of `objects`, which are in their order
  std::vector<std::shared_ptr<const Json>> objects = {};  // in the order of a whole list
  int64_t revision = 0;                                   // that all parts show
  bool more = false;                                      // cut by the limit
  // How many the whole list has, where that is known at no cost: not for one from the past.
  std::optional<size_t> total = std::nullopt;
};

struct ObjectStoreOptions {
  // How much history is kept for watches, whichever is reached first. The Store is compacted
  // likewise.
  size_t history_changes_max = 10'000;
  size_t history_bytes_max = 4 << 20;  // as serialised
};

class ObjectStore {
 public:
  using WatchId = uint64_t;
  using OnChange = std::function<void(const Change&)>;

  // `store` must outlive this, and this the tasks that its methods return.
  explicit ObjectStore(store::Store& store, ObjectStoreOptions options = {});
  ~ObjectStore();
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  // Reads everything that is kept, then follows the Store. REQUIRES: done before any other use,
  // once. kInternal: the kept bytes are not what we wrote.
  http::Task<Status> Load();

  std::optional<Stored> Get(const ObjectKey& key) const;

  // `ns` empty: all namespaces. Linear in what it returns.
  ListResult List(std::string_view resource, std::string_view ns) const;
  // Costs what it returns. Memory answers while nothing of the resource has changed since the
  // revision, the Store otherwise. kOutOfRange: the revision is no longer kept, or not yet there.
  http::Task<Result<ObjectPage>> ListPage(PageRequest request) const;
  size_t Count(std::string_view resource) const;
  std::vector<std::string> Resources() const;  // those that have objects

  // Sets nothing but metadata.resourceVersion: defaults, uid, timestamps are the caller's.
  // kAlreadyExists; kUnavailable when the Store cannot write (nothing has changed).
  http::Task<Result<Stored>> Create(ObjectKey key, Json object);

  // kAborted when the object's revision is not `expected_revision`, kNotFound. An update that
  // changes nothing writes nothing and gives back what is stored.
  http::Task<Result<Stored>> Update(ObjectKey key, Json object, int64_t expected_revision);

  // Removes at once: finalizers and grace are the caller's. Gives the last state. kAborted,
  // kNotFound.
  http::Task<Result<Stored>> Delete(ObjectKey key, std::optional<int64_t> expected_revision);

  // `resource` empty: all resources; `ns` empty: all namespaces.
  // Calls `on_change` for each change after `from_revision`: the past ones before this returns, the
  // rest as they become visible. The callback may Watch and Unwatch, itself too, and start writes.
  // kOutOfRange: older than what is kept, or newer than anything: list again.
  Result<WatchId> Watch(std::string_view resource, std::string_view ns, int64_t from_revision,
                        OnChange on_change);
  void Unwatch(WatchId id);  // no callback follows; no effect on an unknown id

  // How many objects lists and watches' pasts have walked over. It grows in proportion to what is
  // asked for, never to what is there.
  uint64_t visited() const { return visited_; }

  // The newest revision that is visible.
  int64_t revision() const { return revision_; }
  // Watches from revisions older than this get kOutOfRange.
  int64_t oldest_watchable_revision() const { return oldest_; }

 private:
  struct Entry {
    std::shared_ptr<const Json> object = {};
    int64_t revision = 0;
  };
  // Namespaces as their objects' keys lie in the Store, where a slash follows: "a-b" is before "a".
  struct BeforeInStore {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
  };
  using ByName = std::map<std::string, Entry, std::less<>>;
  using ByNamespace = std::map<std::string, ByName, BeforeInStore>;
  struct Watcher {
    std::string ns = {};
    int64_t after = 0;                         // the last revision that it has been told of
    std::shared_ptr<OnChange> on_change = {};  // shared: it may unwatch itself while it runs
  };
  struct Resource {
    ByNamespace objects = {};
    size_t count = 0;
    int64_t changed = 0;  // when any of them changed last
    std::map<WatchId, Watcher> watchers;
  };
  struct Past {
    Change change = {};
    size_t bytes = 0;
  };

  // The outcome of a transaction on one key, once memory shows it or what was in its way.
  http::Task<Result<store::Outcome>> Commit(store::Transaction transaction,
                                            std::shared_ptr<Json> object);
  http::Task<void> UntilVisible(int64_t revision);

  bool Restore(const store::KeyValue& entry);
  void Follow();
  void OnEvents(const store::EventBatch& batch);
  void Apply(const store::Event& event);
  std::shared_ptr<Json> TakeObject(const store::Event& event);
  void Deliver(const Change& change);
  void DeliverTo(const std::string& resource, const Change& change);
  void Remember(Change change, size_t bytes);
  void CompactIfDue();
  const Entry* Find(const ObjectKey& key) const;
  ObjectPage PageFromMemory(const PageRequest& request) const;

  store::Store& store_;
  const ObjectStoreOptions options_;

  std::map<std::string, Resource, std::less<>> resources_;
  std::map<WatchId, std::string> watched_resources_;
  WatchId last_watch_ = 0;
  store::Store::WatchId store_watch_ = 0;

  int64_t revision_ = 0;
  int64_t oldest_ = 0;
  int64_t loaded_ = 0;    // everything since then is known
  size_t forgotten_ = 0;  // changes dropped from the history since the last compaction
  std::deque<Past> history_;
  size_t history_bytes_ = 0;
  mutable uint64_t visited_ = 0;

  // What we wrote ourselves, by revision, so that it need not be parsed again.
  std::map<int64_t, std::shared_ptr<Json>> own_writes_;
  std::multimap<int64_t, std::function<void(std::monostate)>> visible_waiters_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace updraft::controller
