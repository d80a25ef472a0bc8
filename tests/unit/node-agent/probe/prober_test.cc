#include "node-agent/probe/prober.h"

#include <gmock/gmock.h>

#include "tests/unit/node-agent/probe/loopback.h"

namespace updraft::node_agent {
namespace {

// Attempts that end when the test says so.
class FakeRunner final : public ProbeRunner {
 public:
  class Attempt final : public ProbeAttempt {
   public:
    explicit Attempt(FakeRunner& runner) : runner_(runner) { ++runner_.in_flight; }
    ~Attempt() override { --runner_.in_flight; }

   private:
    FakeRunner& runner_;
  };

  std::unique_ptr<ProbeAttempt> Start(const ProbeCall& /*call*/, Nanos /*timeout*/,
                                      ProbeDone done) override {
    ++started;
    loop.After(Nanos(0), [this, done = std::move(done)] {
      if (!answers.empty()) {
        const ProbeOutcome outcome = answers.front();
        answers.erase(answers.begin());
        done(outcome);
      }
    });
    return std::make_unique<Attempt>(*this);
  }

  explicit FakeRunner(Loop& l) : loop(l) {}
  Loop& loop;
  std::vector<ProbeOutcome> answers;
  int started = 0;
  int in_flight = 0;
};

ProbePlan Http() {
  return {.policy = {.period = Millis(1), .failure_threshold = 2}, .call = HttpCall{}};
}
ProbePlan Tcp(uint16_t port) {
  return {.policy = {.period = Seconds(10)}, .call = TcpCall{"127.0.0.1", port}};
}

class ProberTest : public testing::Test {
 protected:
  void Make(ContainerProbes probes, std::function<void(const ProbeReport&)> on_change) {
    prober_ = std::make_unique<Prober>(loop_, runner_, std::move(probes), loop_.Now(),
                                       std::move(on_change));
  }
  Loop loop_;
  FakeRunner runner_{loop_};
  std::unique_ptr<Prober> prober_;
};

TEST_F(ProberTest, WithoutProbesItIsReadyFromTheBeginning) {
  Make({}, [](const ProbeReport&) { ADD_FAILURE(); });
  EXPECT_TRUE(prober_->health().ready);
}

TEST_F(ProberTest, TellsEachChangeOnceWithTheReason) {
  runner_.answers = {{ProbeResult::kFailure, "no"},
                     {ProbeResult::kSuccess, ""},
                     {ProbeResult::kSuccess, ""},
                     {ProbeResult::kFailure, "busy"},
                     {ProbeResult::kFailure, "still busy"}};
  std::vector<std::string> told;
  Make({.readiness = Http()}, [&](const ProbeReport& report) {
    told.push_back(report.health.ready ? "ready" : report.message);
    if (told.size() == 2) loop_.Stop();
  });
  RunToEnd(loop_);
  EXPECT_THAT(told, testing::ElementsAre("ready", "Readiness probe failed: still busy"));
}

TEST_F(ProberTest, MayBeDestroyedFromItsCallback) {
  runner_.answers = {{ProbeResult::kFailure, "dead"}, {ProbeResult::kFailure, "dead"}};
  Make({.liveness = Http()}, [&](const ProbeReport& report) {
    EXPECT_EQ(report.health.restart, ProbeKind::kLiveness);
    prober_.reset();
    loop_.Stop();
  });
  RunToEnd(loop_);
  EXPECT_EQ(runner_.in_flight, 0);
}

TEST_F(ProberTest, ATcpProbeOfThePortThatListensNeedsNoAttempt) {
  ContainerProbes probes{.readiness = Tcp(8080)};
  Make(probes, [&](const ProbeReport& report) {
    EXPECT_TRUE(report.health.ready);
    loop_.Stop();
  });
  prober_->OnListening(8080);
  EXPECT_FALSE(prober_->health().ready) << "told from within a member function";
  RunToEnd(loop_);
  EXPECT_EQ(runner_.started, 0);
}

TEST_F(ProberTest, StartupAndReadinessOfTheListeningPortAreBothDone) {
  Make({.startup = Tcp(8080), .readiness = Tcp(8080)}, [&](const ProbeReport& report) {
    EXPECT_TRUE(report.health.started);
    EXPECT_TRUE(report.health.ready);
    loop_.Stop();
  });
  prober_->OnListening(8080);
  RunToEnd(loop_);
}

TEST_F(ProberTest, AnotherPortIsAsked) {
  runner_.answers = {{ProbeResult::kSuccess, ""}};
  Make({.readiness = Tcp(9000)}, [&](const ProbeReport&) { loop_.Stop(); });
  prober_->OnListening(8080);
  RunToEnd(loop_);
  EXPECT_EQ(runner_.started, 1);
}

}  // namespace
}  // namespace updraft::node_agent
