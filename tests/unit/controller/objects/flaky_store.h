// A store that does not always take what it is given.
#pragma once

#include <utility>
#include <variant>

#include "core/store/store.h"

namespace updraft::controller {

// Refuses every so many commits, when told to.
class FlakyStore : public store::Store {
 public:
  FlakyStore(store::Store& store, store::Post post) : store_(store), post_(std::move(post)) {}

  int refuse_every = 0;  // 0: none
  bool stuck = false;    // commits nothing more

  void Commit(store::Transaction transaction, store::Done<store::Outcome> done) override {
    if (stuck) return;
    if (refuse_every != 0 && ++commits_ % refuse_every == 0) {
      post_([done] { done(Error{Code::kUnavailable, "disk full"}); });
      return;
    }
    store_.Commit(std::move(transaction), std::move(done));
  }
  void Range(store::RangeRequest request, store::Done<store::RangeResult> done) override {
    store_.Range(std::move(request), std::move(done));
  }
  WatchId Watch(store::KeyRange keys, int64_t from, store::WatchCallbacks callbacks) override {
    return store_.Watch(std::move(keys), from, std::move(callbacks));
  }
  void Unwatch(WatchId id) override { store_.Unwatch(id); }
  void Compact(int64_t revision, store::Done<std::monostate> done) override {
    store_.Compact(revision, std::move(done));
  }
  void ReadBounds(store::Done<store::Bounds> done) override { store_.ReadBounds(std::move(done)); }

 private:
  store::Store& store_;
  const store::Post post_;
  int commits_ = 0;
};

}  // namespace updraft::controller
