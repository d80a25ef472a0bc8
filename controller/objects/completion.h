// Lets a coroutine wait for a callback. Loop thread only.
//
//   Completion<Result<int>> answered;
//   client.Ask(question, answered.callback());
//   const Result<int> answer = co_await answered;
//
// The callback may come before the wait, or after the waiting coroutine was destroyed; it is called
// at most once. Waited for at most once.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace updraft::controller {

template <typename T>
class Completion {
 public:
  Completion() = default;
  ~Completion() { state_->waiting = nullptr; }
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  std::function<void(T)> callback() const {
    return [state = state_](T value) {
      state->value.emplace(std::move(value));
      if (const std::coroutine_handle<> waiting = std::exchange(state->waiting, nullptr))
        waiting.resume();
    };
  }

  bool await_ready() const noexcept { return state_->value.has_value(); }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { state_->waiting = waiting; }
  T await_resume() { return std::move(*state_->value); }

 private:
  struct State {
    std::coroutine_handle<> waiting = nullptr;
    std::optional<T> value = std::nullopt;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace updraft::controller
