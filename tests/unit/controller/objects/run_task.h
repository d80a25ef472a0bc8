// Runs coroutines in tests, on a queue of callbacks that stands for the loop.
#pragma once

#include <optional>
#include <utility>

#include "core/http/task.h"
#include "tests/contract/store/callback_queue.h"

namespace updraft::controller {

template <typename T>
http::Task<void> ThenKeep(http::Task<T> task, std::optional<T>* result, bool* done) {
  T value = co_await task;
  result->emplace(std::move(value));
  *done = true;
}

template <typename T>
http::Task<void> ThenSet(http::Task<T> task, bool* done) {
  const T value = co_await task;
  static_cast<void>(value);
  *done = true;
}

template <typename T>
http::Task<void> ThenCount(http::Task<T> task, size_t* done) {
  const T value = co_await task;
  static_cast<void>(value);
  ++*done;
}

// Starts `task` and runs the queue until it has ended.
template <typename T>
T RunTask(store::CallbackQueue& queue, http::Task<T> task) {
  std::optional<T> result;
  bool done = false;
  http::Scope scope;
  scope.Spawn(ThenKeep(std::move(task), &result, &done));
  queue.RunUntil([&done] { return done; });
  return std::move(*result);
}

}  // namespace updraft::controller
