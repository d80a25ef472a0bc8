#include "controller/objects/object_store.h"

#include <algorithm>
#include <utility>

#include "controller/objects/completion.h"
#include "controller/objects/stored_form.h"
#include "core/base/check.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

using store::Operation;
using store::Outcome;
using store::Transaction;

constexpr int kLoadAttemptsMax = 5;

std::string Describe(const ObjectKey& key) {
  return key.resource + " " + (key.ns.empty() ? "" : key.ns + "/") + key.name;
}

Error NotFound(const ObjectKey& key) { return {Code::kNotFound, Describe(key) + " not found"}; }

Error Conflict(const ObjectKey& key) {
  return {Code::kAborted, Describe(key) + " has been modified: read it again and retry"};
}

// The keys of a page and of all that follow it.
Result<store::KeyRange> KeysFrom(const PageRequest& request) {
  store::KeyRange keys = store::WithPrefix(ToStorePrefix(request.resource, request.ns));
  if (request.after_name.empty()) return keys;
  const Result<std::string> last = ToStoreKey(
      {.resource = request.resource, .ns = request.after_ns, .name = request.after_name});
  if (!last) return last.error();
  keys.begin = std::max(keys.begin, *last + '\0');
  return keys;
}

struct Kept {
  store::Bounds bounds = {};
  std::vector<store::KeyValue> entries = {};
};

// Everything as of the oldest revision that is kept: what follows comes through a watch and is the
// history.
http::Task<Result<Kept>> ReadKept(store::Store* store) {
  for (int attempt = 1;; ++attempt) {
    Completion<Result<store::Bounds>> bounds_read;
    store->ReadBounds(bounds_read.callback());
    const Result<store::Bounds> bounds = co_await bounds_read;
    if (!bounds) co_return bounds.error();

    Completion<Result<store::RangeResult>> range_read;
    store::RangeRequest request{.keys = store::WithPrefix(std::string(kObjectsPrefix)),
                                .revision = bounds->compacted};
    store->Range(std::move(request), range_read.callback());
    Result<store::RangeResult> range = co_await range_read;
    if (range) co_return Kept{.bounds = *bounds, .entries = std::move(range->entries)};
    // Somebody compacted in between.
    const bool compacted = range.error().code == Code::kOutOfRange;
    if (!compacted || attempt == kLoadAttemptsMax) co_return range.error();
  }
}

}  // namespace

ObjectStore::ObjectStore(store::Store& store, ObjectStoreOptions options)
    : store_(store), options_(options) {}

ObjectStore::~ObjectStore() { store_.Unwatch(store_watch_); }

// ---- following the store

http::Task<Status> ObjectStore::Load() {
  http::Task<Result<Kept>> reading = ReadKept(&store_);
  const Result<Kept> kept = co_await reading;
  if (!kept) co_return Context("load objects", kept.error());
  for (const store::KeyValue& entry : kept->entries) {
    if (!Restore(entry))
      co_return Error{Code::kInternal, "load objects: damaged entry " + entry.key};
  }
  revision_ = oldest_ = loaded_ = kept->bounds.compacted;
  Follow();

  // Keys that are not ours may have had the newest revisions, so the end of the past cannot be told
  // by its number. A read that was queued after the watch comes after the past.
  Completion<Result<store::Bounds>> caught_up;
  store_.ReadBounds(caught_up.callback());
  const Result<store::Bounds> now = co_await caught_up;
  if (!now) co_return Context("load objects", now.error());
  revision_ = std::max(revision_, kept->bounds.current);
  co_return Ok();
}

bool ObjectStore::Restore(const store::KeyValue& entry) {
  const std::optional<ObjectKey> key = FromStoreKey(entry.key);
  const std::shared_ptr<Json> object = FromStoredBytes(entry.value);
  if (!key || !object) return false;
  SetResourceVersion(*object, entry.mod_revision);
  Resource& resource = resources_[key->resource];
  resource.objects[key->ns][key->name] = Entry{.object = object, .revision = entry.mod_revision};
  ++resource.count;
  resource.changed = std::max(resource.changed, entry.mod_revision);
  return true;
}

void ObjectStore::Follow() {
  store::WatchCallbacks callbacks{
      .on_events = [this](const store::EventBatch& batch) { OnEvents(batch); },
      .on_end =
          [](const Error& error) {
            // Memory can no longer be trusted. The process that starts anew reads everything again.
            Log(Level::kError, "object_store_watch_ended", {{"error", error.message}});
            UPDRAFT_CHECK(!"the store's watch ended");
          }};
  store_watch_ = store_.Watch(store::WithPrefix(std::string(kObjectsPrefix)), revision_ + 1,
                              std::move(callbacks));
}

void ObjectStore::OnEvents(const store::EventBatch& batch) {
  for (const store::Event& event : batch.events) {
    Apply(event);
    revision_ = std::max(revision_, event.entry.mod_revision);
  }
  revision_ = std::max(revision_, batch.revision);
  own_writes_.erase(own_writes_.begin(), own_writes_.upper_bound(revision_));
  CompactIfDue();
  const std::weak_ptr<bool> alive = alive_;
  while (!alive.expired() && !visible_waiters_.empty() &&
         visible_waiters_.begin()->first <= revision_) {
    auto waiter = visible_waiters_.extract(visible_waiters_.begin());
    waiter.mapped()({});
  }
}

void ObjectStore::Apply(const store::Event& event) {
  const std::optional<ObjectKey> key = FromStoreKey(event.entry.key);
  const std::shared_ptr<Json> object = TakeObject(event);
  if (!key || (event.type == store::Event::Type::kPut && !object)) {
    Log(Level::kError, "object_damaged", {{"key", event.entry.key}});
    return;
  }
  Resource& resource = resources_[key->resource];
  ByName& names = resource.objects[key->ns];
  const auto found = names.find(key->name);
  Change change{.object = object,
                .previous = found == names.end() ? nullptr : found->second.object,
                .revision = event.entry.mod_revision,
                .key = *key};
  if (event.type == store::Event::Type::kPut) {
    SetResourceVersion(*object, change.revision);
    change.type = change.previous ? Change::Type::kModified : Change::Type::kAdded;
    names[key->name] = Entry{.object = object, .revision = change.revision};
    if (!change.previous) ++resource.count;
  } else {
    if (!change.previous) return;
    const auto last = object ? object : std::make_shared<Json>(*change.previous);
    SetResourceVersion(*last, change.revision);
    change.type = Change::Type::kDeleted;
    change.object = last;
    names.erase(found);
    if (names.empty()) resource.objects.erase(key->ns);
    --resource.count;
  }
  resource.changed = std::max(resource.changed, change.revision);
  revision_ = std::max(revision_, change.revision);
  Remember(change, event.entry.value.size());
  Deliver(change);
}

std::shared_ptr<Json> ObjectStore::TakeObject(const store::Event& event) {
  const auto own = own_writes_.find(event.entry.mod_revision);
  if (own != own_writes_.end()) {
    auto object = std::move(own->second);
    own_writes_.erase(own);
    return object;
  }
  return event.type == store::Event::Type::kPut ? FromStoredBytes(event.entry.value) : nullptr;
}

void ObjectStore::Deliver(const Change& change) {
  DeliverTo(change.key.resource, change);
  DeliverTo("", change);
}

void ObjectStore::DeliverTo(const std::string& resource, const Change& change) {
  // Callbacks change the maps, so each step finds its place anew.
  WatchId last = 0;
  while (true) {
    auto& watchers = resources_[resource].watchers;
    const auto it = watchers.upper_bound(last);
    if (it == watchers.end()) return;
    last = it->first;
    if (change.revision <= it->second.after) continue;  // it began after this change
    if (!it->second.ns.empty() && it->second.ns != change.key.ns) continue;
    const auto on_change = it->second.on_change;
    (*on_change)(change);
  }
}

void ObjectStore::Remember(Change change, size_t bytes) {
  history_.push_back({std::move(change), bytes});
  history_bytes_ += bytes;
  while (history_.size() > options_.history_changes_max ||
         history_bytes_ > options_.history_bytes_max) {
    history_bytes_ -= history_.front().bytes;
    oldest_ = history_.front().change.revision;
    history_.pop_front();
    ++forgotten_;
  }
}

void ObjectStore::CompactIfDue() {
  // Seldom enough to cost little, often enough that the store is never much larger than the
  // history.
  if (forgotten_ < std::max<size_t>(options_.history_changes_max / 8, 1)) return;
  forgotten_ = 0;
  store_.Compact(oldest_, [](const Status& status) {
    // Compacted by someone else, or the disk is full: the next one does its work too.
    if (!status) Log(Level::kWarn, "store_not_compacted", {{"error", status.error().message}});
  });
}

// ---- reading

const ObjectStore::Entry* ObjectStore::Find(const ObjectKey& key) const {
  const auto resource = resources_.find(key.resource);
  if (resource == resources_.end()) return nullptr;
  const auto ns = resource->second.objects.find(key.ns);
  if (ns == resource->second.objects.end()) return nullptr;
  const auto entry = ns->second.find(key.name);
  return entry == ns->second.end() ? nullptr : &entry->second;
}

std::optional<Stored> ObjectStore::Get(const ObjectKey& key) const {
  const Entry* entry = Find(key);
  if (entry == nullptr) return std::nullopt;
  return Stored{.object = entry->object, .revision = entry->revision};
}

ListResult ObjectStore::List(std::string_view resource, std::string_view ns) const {
  ListResult result{.objects = {}, .revision = revision_};
  const auto found = resources_.find(resource);
  if (found == resources_.end()) return result;
  const auto add = [this, &result](const ByName& names) {
    for (const auto& [name, entry] : names) result.objects.push_back(entry.object);
    visited_ += names.size();
  };
  const ByNamespace& objects = found->second.objects;
  if (!ns.empty()) {
    if (const auto names = objects.find(ns); names != objects.end()) add(names->second);
    return result;
  }
  result.objects.reserve(found->second.count);
  for (const auto& [name, names] : objects) add(names);
  return result;
}

bool ObjectStore::BeforeInStore::operator()(std::string_view a, std::string_view b) const {
  const size_t common = std::min(a.size(), b.size());
  if (const int order = a.substr(0, common).compare(b.substr(0, common)); order != 0)
    return order < 0;
  // No namespace has a slash in its name.
  const auto next = [common](std::string_view text) {
    return static_cast<unsigned char>(text.size() > common ? text[common] : '/');
  };
  return a.size() != b.size() && next(a) < next(b);
}

http::Task<Result<ObjectPage>> ObjectStore::ListPage(PageRequest request) const {
  const auto resource = resources_.find(request.resource);
  const int64_t changed = resource == resources_.end() ? 0 : resource->second.changed;
  if (request.revision > revision_) co_return Error{Code::kOutOfRange, "revision is in the future"};
  // What was deleted before we loaded is not known to have changed.
  if (request.revision == 0 || request.revision >= std::max(changed, loaded_))
    co_return PageFromMemory(request);
  const Result<store::KeyRange> keys = KeysFrom(request);
  if (!keys) co_return keys.error();
  Completion<Result<store::RangeResult>> read;
  store_.Range({.keys = *keys, .revision = request.revision, .limit = request.limit},
               read.callback());
  const Result<store::RangeResult> range = co_await read;
  if (!range) co_return range.error();
  ObjectPage page{.revision = request.revision, .more = range->more};
  for (const store::KeyValue& entry : range->entries) {
    std::optional<ObjectKey> key = FromStoreKey(entry.key);
    const std::shared_ptr<Json> object = FromStoredBytes(entry.value);
    if (!key || !object) co_return Error{Code::kInternal, "damaged entry " + entry.key};
    SetResourceVersion(*object, entry.mod_revision);
    page.keys.push_back(*std::move(key));
    page.objects.push_back(object);
  }
  co_return page;
}

ObjectPage ObjectStore::PageFromMemory(const PageRequest& request) const {
  ObjectPage page{.revision = request.revision == 0 ? revision_ : request.revision, .total = 0};
  const auto found = resources_.find(request.resource);
  if (found == resources_.end()) return page;
  const ByNamespace& all = found->second.objects;
  const bool first = request.after_name.empty();
  auto ns = first ? all.begin() : all.lower_bound(request.after_ns);
  if (!request.ns.empty()) ns = all.find(request.ns);
  page.total = found->second.count;
  if (!request.ns.empty()) page.total = ns == all.end() ? 0 : ns->second.size();
  for (; ns != all.end() && (request.ns.empty() || ns->first == request.ns); ++ns) {
    const ByName& names = ns->second;
    const bool goes_on = !first && ns->first == request.after_ns;
    auto entry = goes_on ? names.upper_bound(request.after_name) : names.begin();
    for (; entry != names.end(); ++entry) {
      if (request.limit != 0 && page.objects.size() == request.limit) {
        page.more = true;
        return page;
      }
      ++visited_;
      page.keys.push_back({.resource = request.resource, .ns = ns->first, .name = entry->first});
      page.objects.push_back(entry->second.object);
    }
  }
  return page;
}

size_t ObjectStore::Count(std::string_view resource) const {
  const auto found = resources_.find(resource);
  return found == resources_.end() ? 0 : found->second.count;
}

std::vector<std::string> ObjectStore::Resources() const {
  std::vector<std::string> names;
  for (const auto& [name, resource] : resources_) {
    if (resource.count != 0) names.push_back(name);
  }
  return names;
}

Result<ObjectStore::WatchId> ObjectStore::Watch(std::string_view resource, std::string_view ns,
                                                int64_t from_revision, OnChange on_change) {
  if (from_revision < oldest_) {
    return Error{Code::kOutOfRange, "too old resource version: " + std::to_string(from_revision) +
                                        " (" + std::to_string(oldest_) + ")"};
  }
  if (from_revision > revision_) {
    return Error{Code::kOutOfRange, "Too large resource version: " + std::to_string(from_revision) +
                                        ", current: " + std::to_string(revision_)};
  }
  std::vector<Change> past;
  const auto first = std::ranges::upper_bound(history_, from_revision, {},
                                              [](const Past& p) { return p.change.revision; });
  for (auto it = first; it != history_.end(); ++it) {
    ++visited_;
    const ObjectKey& key = it->change.key;
    if ((resource.empty() || key.resource == resource) && (ns.empty() || key.ns == ns))
      past.push_back(it->change);
  }
  const WatchId id = ++last_watch_;
  const auto shared = std::make_shared<OnChange>(std::move(on_change));
  resources_[std::string(resource)].watchers[id] =
      Watcher{.ns = std::string(ns), .after = revision_, .on_change = shared};
  watched_resources_[id] = resource;
  for (const Change& change : past) {
    if (!watched_resources_.contains(id)) break;  // it has unwatched itself
    (*shared)(change);
  }
  return id;
}

void ObjectStore::Unwatch(WatchId id) {
  const auto it = watched_resources_.find(id);
  if (it == watched_resources_.end()) return;
  resources_[it->second].watchers.erase(id);
  watched_resources_.erase(it);
}

// ---- writing

http::Task<Result<Stored>> ObjectStore::Create(ObjectKey key, Json object) {
  const Result<std::string> store_key = ToStoreKey(key);
  if (!store_key) co_return store_key.error();
  Result<std::string> bytes = ToStoredBytes(object);
  if (!bytes) co_return bytes.error();
  const auto shared = std::make_shared<Json>(std::move(object));
  Transaction transaction;
  transaction.conditions.push_back({.key = *store_key, .mod_revision = 0});
  transaction.operations.push_back(
      {.type = Operation::Type::kPut, .key = *store_key, .value = std::move(bytes).value()});
  http::Task<Result<Outcome>> commit = Commit(std::move(transaction), shared);
  const Result<Outcome> outcome = co_await commit;
  if (!outcome) co_return outcome.error();
  if (!outcome->applied) co_return Error{Code::kAlreadyExists, Describe(key) + " already exists"};
  co_return Stored{.object = shared, .revision = outcome->revision};
}

http::Task<Result<Stored>> ObjectStore::Update(ObjectKey key, Json object,
                                               int64_t expected_revision) {
  const Result<std::string> store_key = ToStoreKey(key);
  if (!store_key) co_return store_key.error();
  const Entry* current = Find(key);
  if (current == nullptr) co_return NotFound(key);
  if (current->revision != expected_revision) co_return Conflict(key);
  if (SameContent(*current->object, object)) {
    co_return Stored{.object = current->object, .revision = current->revision};
  }
  Result<std::string> bytes = ToStoredBytes(object);
  if (!bytes) co_return bytes.error();
  const auto shared = std::make_shared<Json>(std::move(object));
  Transaction transaction;
  transaction.conditions.push_back({.key = *store_key, .mod_revision = expected_revision});
  transaction.operations.push_back(
      {.type = Operation::Type::kPut, .key = *store_key, .value = std::move(bytes).value()});
  http::Task<Result<Outcome>> commit = Commit(std::move(transaction), shared);
  const Result<Outcome> outcome = co_await commit;
  if (!outcome) co_return outcome.error();
  if (!outcome->applied && outcome->conflict_revision == 0) co_return NotFound(key);
  if (!outcome->applied) co_return Conflict(key);
  co_return Stored{.object = shared, .revision = outcome->revision};
}

http::Task<Result<Stored>> ObjectStore::Delete(ObjectKey key,
                                               std::optional<int64_t> expected_revision) {
  const Result<std::string> store_key = ToStoreKey(key);
  if (!store_key) co_return store_key.error();
  while (true) {
    const Entry* current = Find(key);
    if (current == nullptr) co_return NotFound(key);
    if (expected_revision && *expected_revision != current->revision) co_return Conflict(key);
    const auto last = std::make_shared<Json>(*current->object);
    Transaction transaction;
    transaction.conditions.push_back({.key = *store_key, .mod_revision = current->revision});
    transaction.operations.push_back(
        {.type = Operation::Type::kDelete, .key = *store_key, .value = {}});
    http::Task<Result<Outcome>> commit = Commit(std::move(transaction), last);
    const Result<Outcome> outcome = co_await commit;
    if (!outcome) co_return outcome.error();
    if (outcome->applied) co_return Stored{.object = last, .revision = outcome->revision};
    if (outcome->conflict_revision == 0) co_return NotFound(key);
    if (expected_revision) co_return Conflict(key);
    // Somebody was faster, and memory shows it now: the newer state is deleted all the same.
  }
}

http::Task<Result<Outcome>> ObjectStore::Commit(Transaction transaction,
                                                std::shared_ptr<Json> object) {
  Completion<Result<Outcome>> committed;
  store_.Commit(std::move(transaction), committed.callback());
  const Result<Outcome> outcome = co_await committed;
  if (!outcome) co_return outcome;
  const int64_t awaited = outcome->applied ? outcome->revision : outcome->conflict_revision;
  if (outcome->applied && outcome->revision > revision_)
    own_writes_[outcome->revision] = std::move(object);
  if (outcome->applied && object)
    SetResourceVersion(*object, outcome->revision);  // it was visible before us
  http::Task<void> visible = UntilVisible(awaited);
  co_await visible;
  co_return outcome;
}

http::Task<void> ObjectStore::UntilVisible(int64_t revision) {
  if (revision <= revision_) co_return;
  Completion<std::monostate> visible;
  visible_waiters_.emplace(revision, visible.callback());
  co_await visible;
}

}  // namespace updraft::controller
