#include "core/base/loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "core/base/unique_fd.h"

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

// Readable until it is read; counts how often it was told.
class Ready final : public FdObserver {
 public:
  Ready(Loop& loop, int* told) : loop_(loop), fd_(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)), told_(told) {
    loop_.Watch(fd_.get(), EPOLLIN | EPOLLET, this);
  }
  ~Ready() { loop_.Unwatch(fd_.get(), this); }
  void OnReady(uint32_t) override { ++*told_; }

 private:
  Loop& loop_;
  const UniqueFd fd_;
  int* const told_;
};

// As after a pause of the machine: more is ready than one turn takes, and a time is over.
TEST(LoopTest, WhatIsReadyGoesBeforeWhatIsDue) {
  FakeClock clock;
  Loop loop(clock);
  int told = 0;
  std::vector<std::unique_ptr<Ready>> ready;
  for (int i = 0; i < 800; ++i) ready.push_back(std::make_unique<Ready>(loop, &told));
  int told_before = 0;
  loop.After(Millis(5), [&loop, &told, &told_before] {
    told_before = told;
    loop.Stop();
  });
  clock.Advance(Seconds(10));
  loop.Run();
  EXPECT_EQ(told_before, 800);
}

// Always more ready than one turn takes: timers have their turn all the same.
class Busy final : public FdObserver {
 public:
  explicit Busy(Loop& loop) : loop_(loop), fd_(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) {
    loop_.Watch(fd_.get(), EPOLLIN, this);
  }
  ~Busy() { loop_.Unwatch(fd_.get(), this); }
  void OnReady(uint32_t) override {}

 private:
  Loop& loop_;
  const UniqueFd fd_;
};

TEST(LoopTest, TimersFireThoughThereIsAlwaysMoreToDoThanATurnTakes) {
  FakeClock clock;
  Loop loop(clock);
  std::vector<std::unique_ptr<Busy>> busy;
  for (int i = 0; i < 300; ++i) busy.push_back(std::make_unique<Busy>(loop));
  bool fired = false;
  loop.After(Millis(5), [&loop, &fired] {
    fired = true;
    loop.Stop();
  });
  clock.Advance(Seconds(10));
  loop.Run();
  EXPECT_TRUE(fired);
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
