#include "core/http/scope.h"

namespace updraft::http {
namespace internal {

Root::promise_type::promise_type(Task<void>&, Scope* owner) noexcept : scope(owner) {
  if (scope == nullptr) return;
  AppendTo(scope->roots_);
  ++scope->size_;
}

Root::promise_type::~promise_type() {
  if (scope != nullptr) --scope->size_;
}

Root RunRoot(Task<void> task, Scope*) { co_await task; }

}  // namespace internal

Scope::~Scope() {
  while (roots_.linked()) {
    auto* promise = static_cast<internal::Root::promise_type*>(roots_.next);
    std::coroutine_handle<internal::Root::promise_type>::from_promise(*promise).destroy();
  }
}

}  // namespace updraft::http
