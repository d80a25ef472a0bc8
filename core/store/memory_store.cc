#include "core/store/memory_store.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/store/validate.h"

namespace updraft::store {
namespace {

Event ToEvent(const std::string& key, const std::optional<std::string>& value,
              int64_t create_revision, int64_t revision) {
  if (!value)
    return {.type = Event::Type::kDelete, .entry = {.key = key, .mod_revision = revision}};
  return {.type = Event::Type::kPut,
          .entry = {.key = key,
                    .value = *value,
                    .create_revision = create_revision,
                    .mod_revision = revision}};
}

}  // namespace

MemoryStore::MemoryStore(Post post, int64_t start_revision)
    : post_(std::move(post)), revision_(start_revision), compacted_(start_revision) {
  UPDRAFT_CHECK(start_revision >= 1);
}

void MemoryStore::PostIfAlive(std::function<void()> callback) {
  post_([alive = std::weak_ptr(alive_), callback = std::move(callback)] {
    if (!alive.expired()) callback();
  });
}

void MemoryStore::Commit(Transaction transaction, Done<Outcome> done) {
  EventBatch batch;
  Result<Outcome> outcome = Apply(transaction, batch);
  PostIfAlive(
      [this, outcome = std::move(outcome), batch = std::move(batch), done = std::move(done)] {
        done(outcome);
        if (!batch.events.empty()) watches_.Deliver(batch);
      });
}

Result<Outcome> MemoryStore::Apply(const Transaction& transaction, EventBatch& batch) {
  if (Status valid = Validate(transaction); !valid) return valid.error();
  for (const Condition& condition : transaction.conditions) {
    const Version* latest = Latest(condition.key);
    const int64_t actual = latest ? latest->revision : 0;
    if (actual != condition.mod_revision) {
      return Outcome{.applied = false, .revision = revision_, .conflict_revision = actual};
    }
  }
  const int64_t revision = revision_ + 1;
  Changed changed{.revision = revision, .keys = {}};
  for (const Operation& operation : transaction.operations) {
    const Version* latest = Latest(operation.key);
    const bool put = operation.type == Operation::Type::kPut;
    if (!put && latest == nullptr) continue;
    Version version{.revision = revision};
    if (put) {
      version.create_revision = latest ? latest->create_revision : revision;
      version.value = operation.value;
    }
    batch.events.push_back(
        ToEvent(operation.key, version.value, version.create_revision, revision));
    keys_[operation.key].push_back(std::move(version));
    changed.keys.push_back(operation.key);
  }
  if (changed.keys.empty()) return Outcome{.applied = true, .revision = revision_};
  revision_ = batch.revision = revision;
  log_.push_back(std::move(changed));
  return Outcome{.applied = true, .revision = revision_};
}

void MemoryStore::Range(RangeRequest request, Done<RangeResult> done) {
  PostIfAlive([result = Read(request), done = std::move(done)] { done(result); });
}

Result<RangeResult> MemoryStore::Read(const RangeRequest& request) const {
  const int64_t as_of = request.revision == 0 ? revision_ : request.revision;
  if (as_of < compacted_) return Error{Code::kOutOfRange, "revision is compacted"};
  if (as_of > revision_) return Error{Code::kOutOfRange, "revision is in the future"};
  RangeResult result{.entries = {}, .revision = revision_};
  for (auto it = keys_.lower_bound(request.keys.begin); it != keys_.end(); ++it) {
    if (!request.keys.Contains(it->first)) break;
    const Version* version = AsOf(it->second, as_of);
    if (version == nullptr || !version->value) continue;
    if (request.limit != 0 && result.entries.size() == request.limit) {
      result.more = true;
      break;
    }
    result.entries.push_back(
        {it->first, *version->value, version->create_revision, version->revision});
  }
  return result;
}

Store::WatchId MemoryStore::Watch(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks) {
  const WatchId id = watches_.Add(std::move(keys), from_revision, std::move(callbacks));
  PostIfAlive([this, id] { StartWatch(id); });
  return id;
}

void MemoryStore::StartWatch(WatchId id) {
  if (watches_.Keys(id) == nullptr) return;
  const int64_t from = watches_.NextRevision(id);
  if (from <= compacted_) {
    watches_.End(id, {Code::kOutOfRange, "revision is compacted"});
    return;
  }
  EventBatch past{.revision = revision_, .events = {}};
  const auto first = std::ranges::lower_bound(log_, from, {}, &Changed::revision);
  for (auto it = first; it != log_.end(); ++it) {
    for (const std::string& key : it->keys) {
      const Version* version = AsOf(keys_.at(key), it->revision);
      past.events.push_back(
          ToEvent(key, version->value, version->create_revision, version->revision));
    }
  }
  watches_.Start(id, past);
}

void MemoryStore::Unwatch(WatchId id) { watches_.Remove(id); }

void MemoryStore::Compact(int64_t revision, Done<std::monostate> done) {
  PostIfAlive([result = Forget(revision), done = std::move(done)] { done(result); });
}

Status MemoryStore::Forget(int64_t revision) {
  if (revision > revision_) return Error{Code::kOutOfRange, "revision is in the future"};
  if (revision < compacted_) return Error{Code::kOutOfRange, "revision was compacted before"};
  compacted_ = revision;
  while (!log_.empty() && log_.front().revision <= revision) {
    for (const std::string& key : log_.front().keys) ForgetVersions(key);
    log_.pop_front();
  }
  return Ok();
}

void MemoryStore::ForgetVersions(const std::string& key) {
  const auto it = keys_.find(key);
  if (it == keys_.end()) return;
  Versions& versions = it->second;
  const Version* keep = AsOf(versions, compacted_);
  if (keep != nullptr && !keep->value) ++keep;  // a deletion needs no trace
  if (keep != nullptr)
    versions.erase(versions.begin(), versions.begin() + (keep - versions.data()));
  if (versions.empty()) keys_.erase(it);
}

void MemoryStore::ReadBounds(Done<Bounds> done) {
  PostIfAlive([bounds = Bounds{compacted_, revision_}, done = std::move(done)] { done(bounds); });
}

const MemoryStore::Version* MemoryStore::Latest(const std::string& key) const {
  const auto it = keys_.find(key);
  if (it == keys_.end() || !it->second.back().value) return nullptr;
  return &it->second.back();
}

const MemoryStore::Version* MemoryStore::AsOf(const Versions& versions, int64_t revision) {
  const auto after = std::ranges::upper_bound(versions, revision, {}, &Version::revision);
  return after == versions.begin() ? nullptr : &*std::prev(after);
}

}  // namespace updraft::store
