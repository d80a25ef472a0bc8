#include "core/http/task.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/http/sync.h"

namespace updraft::http {
namespace {

// Runs the loop until `task` has ended.
Task<void> Then(Task<void> task, Loop* loop) {
  co_await task;
  loop->Stop();
}
void RunTask(Loop& loop, Task<void> task) {
  loop.Post([&] { Spawn(Then(std::move(task), &loop)); });
  loop.Run();
}

Task<int> One() { co_return 1; }

Task<void> Sum(int count, int* sum) {
  for (int i = 0; i < count; ++i) *sum += co_await One();
}

TEST(TaskTest, AwaitsWithoutEndInALoopWithoutStack) {
  Loop loop;
  int sum = 0;
  RunTask(loop, Sum(1'000'000, &sum));
  EXPECT_EQ(sum, 1'000'000);
}

Task<void> AwaitEnded(std::string* log) {
  co_await Task<void>::Ended();
  const int number = co_await Task<int>::Ended();
  *log += std::to_string(number);
}

TEST(TaskTest, OneThatIsMadeOfNothingHasEnded) {
  Loop loop;
  std::string log;
  RunTask(loop, AwaitEnded(&log));
  EXPECT_EQ(log, "0");
}

Task<void> WaitThenSet(Signal* signal, std::string* log, char name) {
  co_await signal->Wait();
  *log += name;
}

Task<void> NotifyLater(Loop* loop, Signal* signal, std::string* log) {
  *log += 'n';
  signal->Notify();
  *log += 'm';
  const TimePoint soon = loop->Now() + Millis(1);
  co_await SleepUntil(*loop, soon);
}

TEST(SignalTest, WakesAllInTheirOrderAfterTheNotifierIsDone) {
  Loop loop;
  Signal signal(loop);
  std::string log;
  loop.Post([&] {
    Spawn(WaitThenSet(&signal, &log, 'a'));
    Spawn(WaitThenSet(&signal, &log, 'b'));
  });
  RunTask(loop, NotifyLater(&loop, &signal, &log));
  EXPECT_EQ(log, "nmab");
}

Task<void> NotifyThenWait(Signal* signal) {
  signal->Notify();
  signal->Notify();
  co_await signal->Wait();
}

TEST(SignalTest, KeepsANotificationThatFindsNobody) {
  Loop loop;
  Signal signal(loop);
  RunTask(loop, NotifyThenWait(&signal));
}

Task<void> WaitUntilDeadlines(Loop* loop, Signal* signal, std::vector<bool>* notified) {
  const TimePoint soon = loop->Now() + Millis(5);
  notified->push_back(co_await signal->WaitUntil(soon));
  loop->After(Millis(1), [signal] { signal->Notify(); });
  const TimePoint later = loop->Now() + Seconds(60);
  notified->push_back(co_await signal->WaitUntil(later));
}

TEST(SignalTest, TellsANotificationFromADeadline) {
  Loop loop;
  Signal signal(loop);
  std::vector<bool> notified;
  RunTask(loop, WaitUntilDeadlines(&loop, &signal, &notified));
  EXPECT_EQ(notified, (std::vector<bool>{false, true}));
}

struct Witness {
  explicit Witness(int* count_of) : count(count_of) { ++*count; }
  ~Witness() { --*count; }
  int* count;
};

Task<void> HoldInner(Signal* signal, int* count) {
  const Witness witness(count);
  co_await signal->Wait();
  ADD_FAILURE() << "went on after its end";
}
Task<void> Hold(Signal* signal, int* count) {
  const Witness witness(count);
  co_await HoldInner(signal, count);
}

TEST(ScopeTest, DestroysWhatWaitsAndNobodyWakesItAfterwards) {
  Loop loop;
  Signal signal(loop);
  int count = 0;
  auto scope = std::make_unique<Scope>();
  scope->Spawn(Hold(&signal, &count));
  scope->Spawn(Hold(&signal, &count));
  EXPECT_EQ(count, 4);
  EXPECT_EQ(scope->size(), 2u);
  signal.Notify();
  scope.reset();
  EXPECT_EQ(count, 0);
  signal.Notify();
  RunTask(loop, NotifyThenWait(&signal));
}

Task<void> Sleep(Loop* loop, Nanos time) {
  const TimePoint when = loop->Now() + time;
  co_await SleepUntil(*loop, when);
}

TEST(ScopeTest, ForgetsWhatHasEnded) {
  Loop loop;
  Scope scope;
  scope.Spawn(Sleep(&loop, Millis(1)));
  EXPECT_EQ(scope.size(), 1u);
  RunTask(loop, Sleep(&loop, Millis(2)));
  EXPECT_EQ(scope.size(), 0u);
}

TEST(TaskTest, ATaskThatNobodyAwaitsNeverStarts) {
  int sum = 0;
  { const Task<void> task = Sum(1, &sum); }
  EXPECT_EQ(sum, 0);
}

}  // namespace
}  // namespace updraft::http
