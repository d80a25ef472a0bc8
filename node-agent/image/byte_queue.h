// Bytes from one who must not block to one who may: a bounded queue of chunks.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/result.h"

namespace updraft::node_agent {

// One writer and one reader, on any threads.
class ByteQueue {
 public:
  // Called when the next chunk may come: at once while there is room, else from the reader's
  // thread.
  using More = std::function<void(Status)>;

  explicit ByteQueue(size_t bytes_max) : bytes_max_(bytes_max) {}

  // REQUIRES: the `more` of the chunk before was called.
  void Write(std::string chunk, More more);
  void End();

  // The reader's end: blocks. nullopt at the end, and after Fail().
  std::optional<std::string> Read();

  // No more is read: all writes end with `error`. First call wins.
  void Fail(Error error);

 private:
  const size_t bytes_max_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> chunks_;
  size_t bytes_ = 0;
  bool ended_ = false;
  More waiting_;
  std::optional<Error> failure_;
};

}  // namespace updraft::node_agent
