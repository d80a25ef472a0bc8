#include "node-agent/probe/listen_watcher.h"

#include <gmock/gmock.h>

#include "tests/unit/node-agent/probe/loopback.h"

namespace updraft::node_agent {
namespace {

PeerAddress Loopback(uint16_t port) { return *PeerAddress::Of("127.0.0.1", port); }

TEST(PollPaceTest, GrowsSlowlyToItsMost) {
  const PollPace pace;
  Nanos pause = pace.first;
  Nanos waited{0};
  int tries = 0;
  while (waited < Millis(300)) {
    waited += pause;
    pause = pace.After(pause);
    ++tries;
  }
  EXPECT_EQ(pause, Millis(25));
  EXPECT_LE(tries, 40);
  EXPECT_EQ(pace.After(Millis(25)), Millis(25));
}

TEST(ListenWatcherTest, TellsAtOnceWhenThePortListensAlready) {
  Loop loop;
  BoundPort port;
  port.Listen();
  int told = 0;
  ListenWatcher watcher(loop, Loopback(port.port()), [&] {
    ++told;
    loop.Stop();
  });
  EXPECT_EQ(told, 0) << "told from within the constructor";
  RunToEnd(loop);
  EXPECT_EQ(told, 1);
}

TEST(ListenWatcherTest, TellsSoonAfterThePortBeginsToListen) {
  Loop loop;
  BoundPort port;
  TimePoint listened;
  Nanos late{0};
  ListenWatcher watcher(loop, Loopback(port.port()), [&] {
    late = RealClock().Now() - listened;
    loop.Stop();
  });
  loop.After(Millis(10), [&] {
    port.Listen();
    listened = RealClock().Now();
  });
  RunToEnd(loop);
  EXPECT_GT(listened, TimePoint{});
  RecordProperty("late_us", static_cast<int>(late.count() / 1000));
}

TEST(ListenWatcherTest, HurryMakesThePausesShortAgain) {
  Loop loop;
  BoundPort port;
  bool told = false;
  ListenWatcher watcher(loop, Loopback(port.port()),
                        [&] {
                          told = true;
                          loop.Stop();
                        },
                        {.first = std::chrono::hours(1), .most = std::chrono::hours(1)});
  loop.After(Millis(1), [&] {
    port.Listen();
    watcher.Hurry();
  });
  RunToEnd(loop);
  EXPECT_TRUE(told);
}

TEST(ListenWatcherTest, MayBeDestroyedFromItsCallback) {
  Loop loop;
  BoundPort port;
  port.Listen();
  std::unique_ptr<ListenWatcher> watcher;
  watcher = std::make_unique<ListenWatcher>(loop, Loopback(port.port()), [&] {
    watcher.reset();
    loop.Stop();
  });
  RunToEnd(loop);
}

TEST(ListenWatcherTest, DestroyedItStaysSilent) {
  Loop loop;
  BoundPort port;
  auto watcher =
      std::make_unique<ListenWatcher>(loop, Loopback(port.port()), [] { ADD_FAILURE(); });
  loop.After(Millis(1), [&] {
    watcher.reset();
    port.Listen();
  });
  loop.After(Millis(30), [&] { loop.Stop(); });
  loop.Run();
}

}  // namespace
}  // namespace updraft::node_agent
