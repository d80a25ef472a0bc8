// A store of whoever leads: what it writes happens in its term or not at all. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/lease/candidate.h"
#include "core/store/store.h"

namespace updraft::lease {

class LedStore final : public store::Store {
 public:
  // Stands for election from the first candidate().Tick() on. The clock outlives it; `post` as
  // the store's own.
  LedStore(std::unique_ptr<store::Store> store, CandidateOptions options, const Clock& clock,
           store::Post post);
  ~LedStore() override;

  Candidate& candidate() { return candidate_; }

  // kUnavailable besides: it does not lead (any more), and nothing was changed.
  void Commit(store::Transaction transaction, store::Done<store::Outcome> done) override;
  void Range(store::RangeRequest request, store::Done<store::RangeResult> done) override;
  WatchId Watch(store::KeyRange keys, int64_t from_revision,
                store::WatchCallbacks callbacks) override;
  void Unwatch(WatchId id) override;
  void Compact(int64_t revision, store::Done<std::monostate> done) override;
  void ReadBounds(store::Done<store::Bounds> done) override;

 private:
  const std::unique_ptr<store::Store> store_;
  const store::Post post_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Candidate candidate_;
};

}  // namespace updraft::lease
