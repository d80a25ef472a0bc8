#include "core/lease/led_store.h"

#include <utility>

namespace updraft::lease {
namespace {

Error NotLeading() { return {Code::kUnavailable, "this process does not lead"}; }

}  // namespace

LedStore::LedStore(std::unique_ptr<store::Store> store, CandidateOptions options,
                   const Clock& clock, store::Post post)
    : store_(std::move(store)),
      post_(std::move(post)),
      candidate_(std::move(options), *store_, clock) {}

LedStore::~LedStore() = default;

void LedStore::Commit(store::Transaction transaction, store::Done<store::Outcome> done) {
  if (!candidate_.Leads()) {
    post_([life = std::weak_ptr(alive_), done = std::move(done)] {
      if (!life.expired()) done(NotLeading());
    });
    return;
  }
  transaction.conditions.push_back(candidate_.Fence());
  store_->Commit(std::move(transaction),
                 [this, done = std::move(done)](const Result<store::Outcome>& outcome) {
                   // It may have been the fence that did not hold.
                   const bool lost = outcome && !outcome->applied && !candidate_.Leads();
                   done(lost ? Result<store::Outcome>(NotLeading()) : outcome);
                 });
}

void LedStore::Range(store::RangeRequest request, store::Done<store::RangeResult> done) {
  store_->Range(std::move(request), std::move(done));
}

store::Store::WatchId LedStore::Watch(store::KeyRange keys, int64_t from_revision,
                                      store::WatchCallbacks callbacks) {
  return store_->Watch(std::move(keys), from_revision, std::move(callbacks));
}

void LedStore::Unwatch(WatchId id) { store_->Unwatch(id); }

void LedStore::Compact(int64_t revision, store::Done<std::monostate> done) {
  store_->Compact(revision, std::move(done));
}

void LedStore::ReadBounds(store::Done<store::Bounds> done) { store_->ReadBounds(std::move(done)); }

}  // namespace updraft::lease
