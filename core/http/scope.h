// Owners of running tasks. Included by task.h.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdlib>

#include "core/base/ring.h"
#include "core/http/frame_pool.h"
#include "core/http/task.h"

namespace updraft::http {

class Scope;

namespace internal {

// The outermost frame of a spawned task. Frees itself when the task has ended.
struct Root {
  // NOLINTNEXTLINE(readability-identifier-naming): the language names it
  struct promise_type : RingLink {
    static void* operator new(size_t size) { return AllocateFrame(size); }
    static void operator delete(void* frame, size_t size) { FreeFrame(frame, size); }
    promise_type(Task<void>& task, Scope* owner) noexcept;
    ~promise_type();
    Root get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    [[noreturn]] void unhandled_exception() noexcept { std::abort(); }

    Scope* scope;  // null: detached
  };
};

Root RunRoot(Task<void> task, Scope* owner);

}  // namespace internal

// A set of tasks that run side by side on one loop. Those that have not ended when the scope is
// destroyed are destroyed where they wait; nothing may resume them afterwards. Not to be destroyed
// from within one of its tasks.
class Scope {
 public:
  Scope() = default;
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Starts `task` at once; it runs until it first waits before this returns.
  void Spawn(Task<void> task) { internal::RunRoot(std::move(task), this); }
  size_t size() const { return size_; }

 private:
  friend struct internal::Root::promise_type;
  RingLink roots_;
  size_t size_ = 0;
};

// Starts `task` at once, owned by nobody: it lives until it ends. For work that ends by itself.
inline void Spawn(Task<void> task) { internal::RunRoot(std::move(task), nullptr); }

}  // namespace updraft::http
