#include "core/store/watch_list.h"

#include <algorithm>
#include <utility>

namespace updraft::store {

Store::WatchId WatchList::Add(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks) {
  const Store::WatchId id = ++last_id_;
  watches_[id] = {.keys = std::move(keys),
                  .next = from_revision,
                  .callbacks = std::make_shared<WatchCallbacks>(std::move(callbacks))};
  return id;
}

void WatchList::Remove(Store::WatchId id) { watches_.erase(id); }

const KeyRange* WatchList::Keys(Store::WatchId id) const {
  const auto it = watches_.find(id);
  return it == watches_.end() ? nullptr : &it->second.keys;
}

int64_t WatchList::NextRevision(Store::WatchId id) const {
  const auto it = watches_.find(id);
  return it == watches_.end() ? 0 : it->second.next;
}

void WatchList::Start(Store::WatchId id, const EventBatch& past) {
  const auto it = watches_.find(id);
  if (it == watches_.end()) return;
  it->second.live = true;
  Tell(it->second, past);
}

void WatchList::End(Store::WatchId id, const Error& error) {
  auto node = watches_.extract(id);
  if (!node.empty()) node.mapped().callbacks->on_end(error);
}

void WatchList::Deliver(const EventBatch& batch) {
  // Callbacks change the map, so each step finds its place anew.
  Store::WatchId last = 0;
  while (true) {
    const auto it = watches_.upper_bound(last);
    if (it == watches_.end()) return;
    last = it->first;
    if (it->second.live) Tell(it->second, batch);
  }
}

void WatchList::Tell(Watch& watch, const EventBatch& batch) {
  EventBatch mine{.revision = batch.revision, .events = {}};
  for (const Event& event : batch.events) {
    if (event.entry.mod_revision >= watch.next && watch.keys.Contains(event.entry.key)) {
      mine.events.push_back(event);
    }
  }
  watch.next = std::max(watch.next, batch.revision + 1);
  if (mine.events.empty()) return;
  const auto callbacks = watch.callbacks;
  callbacks->on_events(mine);
}

}  // namespace updraft::store
