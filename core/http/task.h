// Coroutines: a Task is a piece of work that may wait. It starts when it is awaited or spawned, has
// one owner, and runs on the loop thread of whatever it waits for.
//
// Rules that g++ 12 needs (it miscompiles what breaks them): bind every argument to a named local
// before co_await; no co_await in ?:; no coroutine lambdas that capture; parameters by value, or
// references and pointers to what outlives the task.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/http/frame_pool.h"

namespace updraft::http {

template <typename T>
class Task;

namespace internal {

struct TaskPromiseFrame {
  static void* operator new(size_t size) { return AllocateFrame(size); }
  static void operator delete(void* frame, size_t size) { FreeFrame(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { std::abort(); }  // our code never throws

  // Null while the awaiting coroutine is still starting this one: then it goes on by itself.
  std::coroutine_handle<> continuation;
};

struct ResumeContinuation {
  bool await_ready() noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
    const std::coroutine_handle<> next = done.promise().continuation;
    return next ? next : std::noop_coroutine();
  }
  void await_resume() noexcept {}
};

template <typename T>
struct TaskPromise : TaskPromiseFrame {
  Task<T> get_return_object() noexcept;
  ResumeContinuation final_suspend() noexcept { return {}; }
  template <typename U>
  void return_value(U&& value) {
    result.emplace(std::forward<U>(value));
  }
  T TakeResult() { return std::move(*result); }

  std::optional<T> result;
};

template <>
struct TaskPromise<void> : TaskPromiseFrame {
  Task<void> get_return_object() noexcept;
  ResumeContinuation final_suspend() noexcept { return {}; }
  void return_void() noexcept {}
  void TakeResult() noexcept {}
};

}  // namespace internal

// Destroying a task that waits destroys its locals, innermost first, and it never goes on: done
// only when everything it waits for goes with it (see Scope).
template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  // One that has ended already, with T{}: it costs no frame.
  static Task Ended() noexcept { return Task(Handle{}); }
  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  struct Awaiter {
    Handle handle;
    bool await_ready() const noexcept { return !handle; }
    // The child runs inside this call. When it ends without waiting, the parent is not suspended at
    // all: loops over tasks that complete at once use no stack, whatever the compiler makes of it.
    bool await_suspend(std::coroutine_handle<> parent) const {
      handle.resume();
      if (handle.done()) return false;
      handle.promise().continuation = parent;
      return true;
    }
    T await_resume() const {
      if constexpr (std::is_default_constructible_v<T> || std::is_void_v<T>) {
        if (!handle) return T();
      }
      return handle.promise().TakeResult();
    }
  };
  // At most once.
  Awaiter operator co_await() const noexcept { return Awaiter{handle_}; }

 private:
  Handle handle_;
};

namespace internal {

template <typename T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

}  // namespace internal
}  // namespace updraft::http

#include "core/http/scope.h"  // Spawn
