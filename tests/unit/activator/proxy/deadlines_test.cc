#include "activator/proxy/deadlines.h"

#include <gtest/gtest.h>

#include <functional>

namespace updraft::activator {
namespace {

class Stopper final : public DeadlineObserver {
 public:
  explicit Stopper(Loop& loop) : loop_(loop) {}
  void OnDeadline() override {
    at = loop_.Now();
    loop_.Stop();
  }
  TimePoint at;

 private:
  Loop& loop_;
};

struct Fired {
  std::string why;
  Nanos after = Nanos(0);
};

// Which limit ends a request for which `act` (called at its start) is done.
Fired Fire(const RequestTimeouts& timeouts,
           const std::function<void(Loop&, RequestDeadlines&)>& act = {}) {
  Loop loop;
  Stopper stopper(loop);
  const TimePoint start = loop.Now();
  RequestDeadlines deadlines(loop, timeouts, stopper);
  if (act) act(loop, deadlines);
  loop.Run();
  EXPECT_TRUE(deadlines.expired());
  return {deadlines.why(), stopper.at - start};
}

TEST(DeadlinesTest, EachLimitNamesItself) {
  EXPECT_EQ(Fire({.total = Millis(20)}).why,
            "the request did not end within 0.020 s (timeoutSeconds)");
  EXPECT_EQ(Fire({.total = Seconds(60), .response_start = Millis(20)}).why,
            "no response began within 0.020 s (responseStartTimeoutSeconds)");
  EXPECT_EQ(Fire({.total = Seconds(60), .idle = Millis(20)}).why,
            "nothing was sent within 0.020 s (idleTimeoutSeconds)");
}

// By the loop's clock: never early, and no turn that begins two ticks behind the limit ends without
// it.
TEST(DeadlinesTest, EachFiresWithinTwoTicksOfItsTime) {
  static constexpr Nanos limit = Millis(30);
  for (const RequestTimeouts& timeouts :
       {RequestTimeouts{.total = limit}, RequestTimeouts{.response_start = limit},
        RequestTimeouts{.idle = limit}}) {
    bool late = false;
    const Fired fired = Fire(timeouts, [&late](Loop& loop, RequestDeadlines& deadlines) {
      loop.After(limit + Millis(2), [&late, &loop, &deadlines] {
        loop.AtEndOfTurn([&late, &deadlines] { late = !deadlines.expired(); });
      });
    });
    EXPECT_GE(fired.after, limit) << fired.why;
    EXPECT_FALSE(late) << fired.why;
  }
}

TEST(DeadlinesTest, AResponseThatBeganIsNotLate) {
  const Fired fired = Fire({.total = Millis(60), .response_start = Millis(20)},
                           [](Loop&, RequestDeadlines& deadlines) { deadlines.OnResponseStart(); });
  EXPECT_EQ(fired.why, "the request did not end within 0.060 s (timeoutSeconds)");
  EXPECT_GE(fired.after, Millis(60));
}

TEST(DeadlinesTest, ActivityMovesOnlyTheIdleLimit) {
  const Fired fired =
      Fire({.total = Seconds(60), .idle = Millis(30)}, [](Loop& loop, RequestDeadlines& deadlines) {
        for (int i = 1; i <= 3; ++i)
          loop.After(Millis(20 * i), [&deadlines] { deadlines.OnActivity(); });
      });
  EXPECT_GE(fired.after, Millis(90));
  const Fired total =
      Fire({.total = Millis(40), .idle = Millis(30)}, [](Loop& loop, RequestDeadlines& deadlines) {
        loop.After(Millis(20), [&deadlines] { deadlines.OnActivity(); });
      });
  EXPECT_EQ(total.why, "the request did not end within 0.040 s (timeoutSeconds)");
}

TEST(DeadlinesTest, SilenceCountsOnlyOnceTheStreamHasBegun) {
  const Fired before = Fire({.total = Millis(60), .silent_stream = Millis(20)});
  EXPECT_EQ(before.why, "the request did not end within 0.060 s (timeoutSeconds)");
  const Fired fired =
      Fire({.total = Seconds(60), .silent_stream = Millis(30)}, [](Loop& loop, RequestDeadlines& deadlines) {
        loop.After(Millis(20), [&deadlines] { deadlines.OnResponseStart(); });
        loop.After(Millis(40), [&deadlines] { deadlines.OnActivity(); });
      });
  EXPECT_EQ(fired.why, "nothing passed on the stream within 0.030 s (updraft.dev/silent-stream-timeout)");
  EXPECT_GE(fired.after, Millis(70));
}

}  // namespace
}  // namespace updraft::activator
