// A loop on a thread of its own, driven from a test.
#pragma once

#include <functional>
#include <future>
#include <memory>

#include "core/base/clock.h"
#include "core/base/loop.h"

namespace updraft::controller {

class TestLoop {
 public:
  TestLoop() : thread_("test-loop") {}

  Loop& loop() { return thread_.loop(); }
  void Stop() { thread_.Stop(); }

  // Runs `work` on the loop and gives its result.
  template <typename Work>
  auto Call(Work work) -> decltype(work()) {
    using R = decltype(work());
    std::promise<R> promise;
    std::future<R> result = promise.get_future();
    loop().Post([&promise, &work] {
      if constexpr (std::is_void_v<R>) {
        work();
        promise.set_value();
      } else {
        promise.set_value(work());
      }
    });
    return result.get();
  }

  // True once `condition`, looked at on the loop turn after turn, holds; false after ten seconds.
  bool WaitUntil(std::function<bool()> condition) {
    std::promise<bool> promise;
    std::future<bool> result = promise.get_future();
    Look(condition, RealClock().Now() + Seconds(10), promise);
    return result.get();
  }

 private:
  void Look(const std::function<bool()>& condition, TimePoint deadline,
            std::promise<bool>& promise) {
    loop().Post([this, &condition, deadline, &promise] {
      const bool holds = condition();
      if (holds || RealClock().Now() >= deadline) {
        promise.set_value(holds);
      } else {
        Look(condition, deadline, promise);
      }
    });
  }

  LoopThread thread_;
};

}  // namespace updraft::controller
