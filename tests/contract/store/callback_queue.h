// Stands for the loop in tests of stores: keeps what is posted, from any thread, and runs it when
// told.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/result.h"
#include "core/store/store.h"

namespace updraft::store {

class CallbackQueue {
 public:
  Post post() {
    return [shared = shared_](std::function<void()> callback) {
      {
        const std::lock_guard lock(shared->mutex);
        shared->callbacks.push_back(std::move(callback));
      }
      shared->changed.notify_one();
    };
  }

  // Runs what is posted, waiting for more, until `done`.
  template <typename Predicate>
  void RunUntil(Predicate done) {
    while (!done()) RunOne();
  }

  // Runs what is there without waiting; gives how many callbacks ran.
  size_t RunPending() { return RunUpTo(SIZE_MAX); }
  size_t RunUpTo(size_t most) {
    size_t count = 0;
    while (true) {
      if (count == most) return count;
      {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->callbacks.empty()) return count;
      }
      RunOne();
      ++count;
    }
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> callbacks;
  };

  void RunOne() {
    std::function<void()> callback;
    {
      std::unique_lock lock(shared_->mutex);
      shared_->changed.wait(lock, [this] { return !shared_->callbacks.empty(); });
      callback = std::move(shared_->callbacks.front());
      shared_->callbacks.pop_front();
    }
    callback();
  }

  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

// Starts a call and runs the queue until it has called back.
template <typename T, typename Start>
Result<T> Await(CallbackQueue& queue, Start start) {
  const auto answer = std::make_shared<std::optional<Result<T>>>();
  start(Done<T>([answer](Result<T> result) { answer->emplace(std::move(result)); }));
  queue.RunUntil([&answer] { return answer->has_value(); });
  return **answer;
}

}  // namespace updraft::store
