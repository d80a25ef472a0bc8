#include "core/base/loop.h"

#include <gtest/gtest.h>

#include <future>
#include <string>

namespace updraft {
namespace {

class Noting final : public Deferred {
 public:
  Noting(std::string* log, char name) : log_(log), name_(name) {}
  void Run() override { *log_ += name_; }

 private:
  std::string* log_;
  char name_;
};

TEST(LoopTest, DeferredWorkRunsOnceAtTheEndOfTheTurnUnlessItIsGone) {
  Loop loop;
  std::string log;
  Noting first(&log, 'a');
  Noting second(&log, 'b');
  auto gone = std::make_unique<Noting>(&log, 'x');
  loop.Post([&] {
    loop.Defer(&first);
    loop.Defer(gone.get());
    loop.Defer(&second);
    loop.Defer(&first);
    gone.reset();
    log += '0';
  });
  loop.After(Millis(1), [&loop] { loop.Stop(); });
  loop.Run();
  EXPECT_EQ(log, "0ab");
}

TEST(LoopTest, CallbacksAtATimeRunInItsOrderUnlessTheyAreCancelled) {
  Loop loop;
  std::string log;
  const auto at = [&](Nanos delay, char name) {
    return loop.After(delay, [&log, name] { log += name; });
  };
  at(Millis(3), 'c');
  at(Millis(1), 'a');
  const Loop::TimerId cancelled = at(Millis(2), 'x');
  at(Millis(2), 'b');
  loop.Cancel(cancelled);
  loop.After(Millis(4), [&loop] { loop.Stop(); });
  loop.Run();
  EXPECT_EQ(log, "abc");
}

class Stopper final : public Timer {
 public:
  explicit Stopper(Loop& loop) : Timer(loop.timers()), loop_(loop) {}
  void OnTimer() override {
    fired_at = loop_.Now();
    loop_.Stop();
  }
  TimePoint fired_at;

 private:
  Loop& loop_;
};

TEST(LoopTest, WaitsForCoarseTimersToo) {
  Loop loop;
  Stopper stopper(loop);
  const TimePoint when = loop.Now() + Millis(7);
  stopper.Set(when);
  loop.Run();
  EXPECT_GE(stopper.fired_at, when);
}

TEST(LoopThreadTest, StopsBeforeWhatItServesIsDestroyed) {
  auto thread = std::make_unique<LoopThread>("stops");
  std::promise<void> ran;
  thread->loop().Post([&ran] { ran.set_value(); });
  ran.get_future().wait();
  thread->Stop();
  thread->Stop();
}

}  // namespace
}  // namespace updraft
