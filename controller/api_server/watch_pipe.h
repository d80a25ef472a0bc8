// Between the store's changes and a client that watches: events as text, in the client's form, kept
// until they are written. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/api_server/selection.h"
#include "controller/api_server/table.h"
#include "controller/objects/object_store.h"
#include "core/http/sync.h"

namespace updraft::controller {

class WatchPipe {
 public:
  // `store`, `loop` and `clock` must outlive this.
  WatchPipe(Loop& loop, const Clock& clock, ObjectStore& store, Presentation how,
            Selection selection);
  ~WatchPipe();
  WatchPipe(const WatchPipe&) = delete;
  WatchPipe& operator=(const WatchPipe&) = delete;

  // Puts in all objects and then changes, as `start` says. A version that is no longer kept puts in
  // an ERROR event and ends the pipe.
  void Open(std::string_view ns, const WatchStart& start);

  // An event without an object: how far the client has seen.
  void PushBookmark();

  // Everything that is there, one event a line; empty when there is nothing.
  std::string Take();
  // Nothing will follow: the start was too old, or the client did not keep up.
  bool ended() const { return ended_; }
  // A change has come since the last bookmark.
  bool advanced() const { return store_.revision() > bookmarked_; }

  // Notified when there is something to take.
  http::Signal& signal() { return signal_; }

 private:
  void PushInitialEvents(std::string_view ns, bool bookmark);
  void OnChange(const Change& change);
  void Push(std::string_view type, const Json& object);
  Json BookmarkObject() const;

  const Clock& clock_;
  ObjectStore& store_;
  Presentation how_;
  const Selection selection_;
  std::optional<ObjectStore::WatchId> watch_;
  std::string text_;
  Header header_ = Header::kWithColumns;  // a Table's columns are told once
  int64_t bookmarked_ = 0;
  bool ended_ = false;
  http::Signal signal_;
};

}  // namespace updraft::controller
