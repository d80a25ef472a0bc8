#include "node-agent/image/byte_queue.h"

#include <utility>

namespace updraft::node_agent {

void ByteQueue::Write(std::string chunk, More more) {
  Status status = Ok();
  {
    const std::lock_guard lock(mutex_);
    if (failure_.has_value()) {
      status = *failure_;
    } else {
      bytes_ += chunk.size();
      chunks_.push_back(std::move(chunk));
      changed_.notify_all();
      if (bytes_ >= bytes_max_) {
        waiting_ = std::move(more);
        return;
      }
    }
  }
  more(std::move(status));
}

void ByteQueue::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::optional<std::string> ByteQueue::Read() {
  std::string chunk;
  More more;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_.has_value() || ended_ || !chunks_.empty(); });
    if (failure_.has_value() || chunks_.empty()) return std::nullopt;
    chunk = std::move(chunks_.front());
    chunks_.pop_front();
    bytes_ -= chunk.size();
    if (bytes_ < bytes_max_) more = std::exchange(waiting_, nullptr);
  }
  if (more) more(Ok());
  return chunk;
}

void ByteQueue::Fail(Error error) {
  More more;
  {
    const std::lock_guard lock(mutex_);
    if (failure_.has_value()) return;
    failure_ = error;
    chunks_.clear();
    more = std::exchange(waiting_, nullptr);
    changed_.notify_all();
  }
  if (more) more(std::move(error));
}

}  // namespace updraft::node_agent
