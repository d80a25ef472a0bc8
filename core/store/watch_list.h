// The watches of one store: who is told what, each revision once.
//
// Loop thread only, as the stores that use it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "core/store/store.h"

namespace updraft::store {

class WatchList {
 public:
  // A watch that is told nothing until Start(). Ids are never 0 and never used twice.
  Store::WatchId Add(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks);
  void Remove(Store::WatchId id);

  // Null for a watch that was removed.
  const KeyRange* Keys(Store::WatchId id) const;
  int64_t NextRevision(Store::WatchId id) const;

  // Tells one watch its past and makes it live. `past` covers all up to its revision.
  void Start(Store::WatchId id, const EventBatch& past);

  // Ends one watch with an error.
  void End(Store::WatchId id, const Error& error);

  // Tells all live watches. Callbacks may add and remove watches.
  void Deliver(const EventBatch& batch);

 private:
  struct Watch {
    KeyRange keys = {};
    int64_t next = 0;  // first revision that was not told yet
    bool live = false;
    std::shared_ptr<WatchCallbacks> callbacks = {};  // shared: it may remove itself while it runs
  };

  static void Tell(Watch& watch, const EventBatch& batch);

  std::map<Store::WatchId, Watch> watches_;
  Store::WatchId last_id_ = 0;
};

}  // namespace updraft::store
