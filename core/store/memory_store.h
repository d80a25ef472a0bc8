// A Store that is gone with the process: for soft state and for tests.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "core/store/watch_list.h"

namespace updraft::store {

class MemoryStore : public Store {
 public:
  // The empty store has `start_revision` (>= 1); clients that remember revisions over a restart of
  // the process need it to be beyond all that the last one gave.
  explicit MemoryStore(Post post, int64_t start_revision = 1);

  void Commit(Transaction transaction, Done<Outcome> done) override;
  void Range(RangeRequest request, Done<RangeResult> done) override;
  WatchId Watch(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks) override;
  void Unwatch(WatchId id) override;
  void Compact(int64_t revision, Done<std::monostate> done) override;
  void ReadBounds(Done<Bounds> done) override;

 private:
  struct Version {
    int64_t revision = 0;
    int64_t create_revision = 0;
    std::optional<std::string> value = std::nullopt;  // none: deleted
  };
  using Versions = std::vector<Version>;  // oldest first

  struct Changed {
    int64_t revision = 0;
    std::vector<std::string> keys = {};
  };

  Result<Outcome> Apply(const Transaction& transaction, EventBatch& batch);
  Result<RangeResult> Read(const RangeRequest& request) const;
  Status Forget(int64_t revision);
  void StartWatch(WatchId id);
  const Version* Latest(const std::string& key) const;
  static const Version* AsOf(const Versions& versions, int64_t revision);
  void ForgetVersions(const std::string& key);
  void PostIfAlive(std::function<void()> callback);

  const Post post_;
  int64_t revision_;
  int64_t compacted_;
  std::map<std::string, Versions> keys_;
  std::deque<Changed> log_;  // after compacted_
  WatchList watches_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace updraft::store
