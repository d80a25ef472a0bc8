#include "core/lease/election.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "core/lease/led_store.h"
#include "core/lease/process_mark.h"
#include "core/store/memory_store.h"
#include "tests/contract/store/callback_queue.h"

namespace updraft::lease {
namespace {

using Step = Election::Step;

TimePoint At(double seconds) {
  return TimePoint(std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(seconds)));
}

// Takes a vacant lead: asked at 100 s, answered at once, so that it leads until 105 s.
Election LeaderInTerm7() {
  Election election{ElectionTimes{}};
  EXPECT_EQ(election.Next(At(100)), Step::kLook);
  election.Looked(At(100), TermSeen{});
  EXPECT_EQ(election.Next(At(100)), Step::kTake);
  election.Took(At(100), Written::kDone, 7);
  EXPECT_TRUE(election.Leads(At(100)));
  return election;
}

// What becomes of a leader whose renewal, sent at 102 s, is answered late or not as it hopes.
struct RenewalCase {
  const char* what;
  double answered;
  Written written;
  double leads_at;
  bool leads;
};

TEST(Election, ARenewalCountsFromWhenItWasSent) {
  const std::vector<RenewalCase> cases = {
      {"done at once: until 107", 102, Written::kDone, 106.9, true},
      {"but no longer", 102, Written::kDone, 107, false},
      {"done late: still until 107", 104.9, Written::kDone, 106.9, true},
      {"done late, but no longer", 104.9, Written::kDone, 107, false},
      {"done after the lease: nothing comes back", 105, Written::kDone, 105, false},
      {"unknown: the old lease goes on", 103, Written::kUnknown, 104.9, true},
      {"unknown, until its end", 103, Written::kUnknown, 105, false},
      {"refused: another leads", 102.5, Written::kRefused, 102.5, false},
  };
  for (const RenewalCase& test : cases) {
    SCOPED_TRACE(test.what);
    Election election = LeaderInTerm7();
    ASSERT_EQ(election.Next(At(101.9)), Step::kNone);
    ASSERT_EQ(election.Next(At(102)), Step::kRenew);
    ASSERT_EQ(election.Next(At(102.1)), Step::kNone) << "one at a time";
    election.Renewed(At(test.answered), test.written);
    EXPECT_EQ(election.Leads(At(test.leads_at)), test.leads);
  }
}

TEST(Election, ALeadThatRanOutIsGivenUpAndALateAnswerDoesNotBringItBack) {
  Election election = LeaderInTerm7();
  ASSERT_EQ(election.Next(At(102)), Step::kRenew);
  EXPECT_TRUE(election.Leads(At(104.99)));
  EXPECT_FALSE(election.Leads(At(105))) << "by time alone";
  EXPECT_EQ(election.Next(At(105)), Step::kNone);
  EXPECT_EQ(election.term(), 0);
  election.Renewed(At(105.1), Written::kDone);
  EXPECT_FALSE(election.Leads(At(105.1)));
  EXPECT_EQ(election.Next(At(105.1)), Step::kLook);
}

TEST(Election, ARenewalThatWasNotAnsweredIsRepeatedInTime) {
  Election election = LeaderInTerm7();
  ASSERT_EQ(election.Next(At(102)), Step::kRenew);
  election.Renewed(At(102.5), Written::kUnknown);
  EXPECT_EQ(election.Next(At(103.4)), Step::kNone);
  ASSERT_EQ(election.Next(At(103.5)), Step::kRenew);
  election.Renewed(At(103.6), Written::kDone);
  EXPECT_TRUE(election.Leads(At(108.4)));
  EXPECT_FALSE(election.Leads(At(108.5)));
}

// Follows from 100 s on; sees what `looks` say, and takes over or not at the last of them.
struct Look {
  double at;
  std::optional<TermSeen> seen;
};
struct FollowerCase {
  const char* what;
  std::vector<Look> looks;
  bool takes;
};

TEST(Election, TakesOverFromWhoIsSilentForAWholeLease) {
  const TermSeen a{.term = 5, .renewal = 9};
  const TermSeen renewed{.term = 5, .renewal = 10};
  const TermSeen other{.term = 11, .renewal = 11};
  const std::vector<FollowerCase> cases = {
      {"nobody leads", {{100, TermSeen{}}}, true},
      {"somebody does", {{100, a}}, false},
      {"silent, but not long enough", {{100, a}, {105.9, a}}, false},
      {"silent for a lease", {{100, a}, {106, a}}, true},
      {"renewed in between", {{100, a}, {103, renewed}, {106, renewed}}, false},
      {"silent since its renewal", {{100, a}, {103, renewed}, {109, renewed}}, true},
      {"renewed at the last moment", {{100, a}, {106, renewed}}, false},
      {"another took over", {{100, a}, {106, other}}, false},
      {"resigned", {{100, a}, {101, TermSeen{}}}, true},
      {"a look without an answer says nothing", {{100, a}, {106, std::nullopt}}, false},
      {"but does not begin anew either", {{100, a}, {103, std::nullopt}, {106, a}}, true},
      {"no answer yet", {{100, std::nullopt}}, false},
  };
  for (const FollowerCase& test : cases) {
    SCOPED_TRACE(test.what);
    Election election{ElectionTimes{}};
    for (const Look& look : test.looks) {
      ASSERT_EQ(election.Next(At(look.at)), Step::kLook);
      election.Looked(At(look.at), look.seen);
    }
    EXPECT_EQ(election.Next(At(test.looks.back().at)), test.takes ? Step::kTake : Step::kNone);
  }
}

struct TakeCase {
  const char* what;
  double answered;
  Written written;
  bool leads;
};

TEST(Election, LeadsOnlyOnceItKnowsThatItTookTheTermInTime) {
  const std::vector<TakeCase> cases = {
      {"done", 100, Written::kDone, true},
      {"just in time", 104.9, Written::kDone, true},
      {"too late: the lease counts from when it was sent", 105, Written::kDone, false},
      {"another was faster", 100, Written::kRefused, false},
      {"not known", 100, Written::kUnknown, false},
  };
  for (const TakeCase& test : cases) {
    SCOPED_TRACE(test.what);
    Election election{ElectionTimes{}};
    ASSERT_EQ(election.Next(At(100)), Step::kLook);
    election.Looked(At(100), TermSeen{});
    ASSERT_EQ(election.Next(At(100)), Step::kTake);
    election.Took(At(test.answered), test.written, 7);
    EXPECT_EQ(election.Leads(At(test.answered)), test.leads);
    if (!test.leads) {
      EXPECT_EQ(election.Next(At(test.answered + 0.9)), Step::kNone);
      EXPECT_EQ(election.Next(At(test.answered + 1)), Step::kLook) << "then as before";
    }
  }
}

TEST(Election, WhoResignedNeverLeadsAgain) {
  Election leader = LeaderInTerm7();
  EXPECT_EQ(leader.Resign(At(101)), 7);
  EXPECT_FALSE(leader.Leads(At(101)));
  EXPECT_EQ(leader.Next(At(200)), Step::kNone);

  Election taking{ElectionTimes{}};
  ASSERT_EQ(taking.Next(At(100)), Step::kLook);
  taking.Looked(At(100), TermSeen{});
  ASSERT_EQ(taking.Next(At(100)), Step::kTake);
  EXPECT_EQ(taking.Resign(At(100)), 0);
  taking.Took(At(100), Written::kDone, 7);
  EXPECT_FALSE(taking.Leads(At(100))) << "resigned while it was taking the lead";
}

// ---- the store of whoever leads

class LedStoreTest : public testing::Test {
 protected:
  LedStoreTest() {
    auto memory = std::make_unique<store::MemoryStore>(queue_.post());
    memory_ = memory.get();
    led_ = std::make_unique<LedStore>(std::move(memory),
                                      CandidateOptions{.key = "leader", .identity = "me"}, clock_,
                                      queue_.post());
  }

  void TakeTheLead() {
    while (!led_->candidate().Leads()) {
      led_->candidate().Tick();
      queue_.RunPending();
    }
  }
  Result<store::Outcome> Put(store::Store& store, const std::string& key) {
    std::optional<Result<store::Outcome>> outcome;
    store.Commit({.operations = {{.key = key, .value = "v"}}},
                 [&outcome](Result<store::Outcome> result) { outcome = std::move(result); });
    EXPECT_FALSE(outcome) << "from within the call";
    queue_.RunPending();
    return *outcome;
  }
  size_t Keys() {
    size_t count = 0;
    memory_->Range(
        {.keys = store::WithPrefix("work")},
        [&count](const Result<store::RangeResult>& result) { count = result->entries.size(); });
    queue_.RunPending();
    return count;
  }

  store::CallbackQueue queue_;
  FakeClock clock_;
  store::MemoryStore* memory_;
  std::unique_ptr<LedStore> led_;
};

TEST_F(LedStoreTest, WritesOnlyWhileItLeads) {
  EXPECT_EQ(Put(*led_, "work/0").error().code, Code::kUnavailable);
  TakeTheLead();
  EXPECT_TRUE(Put(*led_, "work/1")->applied);
  clock_.Advance(Seconds(6));  // a frozen process that wakes up
  EXPECT_EQ(Put(*led_, "work/2").error().code, Code::kUnavailable);
  EXPECT_EQ(Keys(), 1u);
}

TEST_F(LedStoreTest, NobodyWaitsForALeaderThatIsCertainToBeGone) {
  for (const char* mark : {"unknown", "dead"}) {
    auto memory = std::make_unique<store::MemoryStore>(queue_.post());
    memory->Commit({.operations = {{.key = "leader", .value = std::string("other\n") + mark},
                                   {.key = "leader.renewed", .value = ""}}},
                   [](const Result<store::Outcome>&) {});
    LedStore led(std::move(memory),
                 {.key = "leader",
                  .identity = "me",
                  .is_gone = [](std::string_view one) { return one == "dead"; }},
                 clock_, queue_.post());
    for (int i = 0; i < 3; ++i) {
      led.candidate().Tick();
      queue_.RunPending();
      if (i == 0) {
        EXPECT_EQ(led.candidate().leader(), "other");
      }
    }
    EXPECT_EQ(led.candidate().Leads(), std::string_view(mark) == "dead");
  }
}

TEST(ProcessMark, SaysThatAProcessIsGoneOnceItIs) {
  const std::string own = OwnProcessMark();
  ASSERT_FALSE(own.empty());
  EXPECT_FALSE(IsGone(own));
  EXPECT_FALSE(IsGone(""));
  const size_t start = own.rfind(' ');
  EXPECT_TRUE(IsGone(own.substr(0, start) + " 1")) << "another process has its number";
  const size_t pid = own.rfind(' ', start - 1);
  EXPECT_TRUE(IsGone(own.substr(0, pid) + " 4194305 1")) << "there is no such process";
  EXPECT_FALSE(IsGone("another-boot" + own.substr(own.find(' '))));
  EXPECT_FALSE(IsGone(own.substr(0, pid) + " ../self 1"));
}

TEST_F(LedStoreTest, AWriteThatComesInAnothersTermIsRefused) {
  TakeTheLead();
  ASSERT_TRUE(Put(*memory_, "leader")->applied);
  EXPECT_FALSE(Put(*led_, "work/1")->applied);
  EXPECT_EQ(Keys(), 0u);
}

}  // namespace
}  // namespace updraft::lease
