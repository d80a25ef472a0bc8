#include "controller/feeds/slot_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr TimePoint kStart{Seconds(1000)};
constexpr Nanos kTimeout = Seconds(30);

// ---- shares

struct ShareCase {
  const char* name;
  uint64_t slots;
  std::vector<SlotClaim> claims;
  std::vector<uint64_t> shares;
};

SlotClaim Claims(uint64_t held, uint64_t wanted, Nanos granted_ago = Seconds(1)) {
  return {.held = held, .wanted = wanted, .granted_at = kStart - granted_ago};
}

class SlotSharesTest : public testing::TestWithParam<ShareCase> {};

TEST_P(SlotSharesTest, Table) { EXPECT_EQ(SharesOf(GetParam().slots, GetParam().claims, kStart), GetParam().shares); }

INSTANTIATE_TEST_SUITE_P(
    Shares, SlotSharesTest,
    testing::Values(
        ShareCase{"nobody", 5, {}, {}},
        ShareCase{"one_has_all", 5, {Claims(0, 0)}, {5}},
        ShareCase{"nobody_wants_any", 10, {Claims(0, 0), Claims(0, 0)}, {5, 5}},
        ShareCase{"what_does_not_divide_stays", 3, {Claims(1, 0), Claims(2, 0)}, {1, 2}},
        ShareCase{"room_is_spread", 10, {Claims(5, 0), Claims(5, 8)}, {1, 9}},
        ShareCase{"little_is_had_in_full", 10, {Claims(0, 2), Claims(10, 20)}, {2, 8}},
        ShareCase{"as_much_as_one_another", 9, {Claims(9, 20), Claims(0, 20), Claims(0, 20)}, {3, 3, 3}},
        ShareCase{"the_odd_one_stays", 3, {Claims(1, 9), Claims(2, 9)}, {1, 2}},
        ShareCase{"turns_for_one", 1, {Claims(1, 9, Millis(50)), Claims(0, 9, Millis(100))}, {0, 1}},
        ShareCase{"a_turn_lasts", 1, {Claims(1, 9, Millis(9)), Claims(0, 9, Millis(100))}, {1, 0}},
        ShareCase{"turns_for_two_of_three",
                  2,
                  {Claims(1, 9, Millis(50)), Claims(1, 9, Millis(60)), Claims(0, 9, Seconds(9))},
                  {0, 1, 1}},
        ShareCase{"one_is_enough_for_who_wants_it", 1, {Claims(1, 0), Claims(0, 1)}, {0, 1}},
        ShareCase{"no_slots", 0, {Claims(0, 9), Claims(0, 1)}, {0, 0}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(SlotSharesTest, AreAllThereIsWhateverIsWanted) {
  uint64_t state = 7;
  const auto random = [&state](uint64_t below) { return (state = state * 6364136223846793005u + 1442695040888963407u) / (uint64_t{1} << 33) % below; };
  for (int i = 0; i < 5'000; ++i) {
    std::vector<SlotClaim> claims(1 + random(5));
    for (SlotClaim& claim : claims) claim = Claims(random(10), random(30), Millis(static_cast<int64_t>(random(40))));
    const uint64_t slots = random(60);
    const std::vector<uint64_t> shares = SharesOf(slots, claims, kStart);
    ASSERT_EQ(std::accumulate(shares.begin(), shares.end(), uint64_t{0}), slots);
    uint64_t wanted = 0;
    for (const SlotClaim& claim : claims) wanted += claim.wanted;
    for (size_t k = 0; k < claims.size(); ++k) {
      if (wanted <= slots) {
        ASSERT_GE(shares[k], claims[k].wanted);
      }
    }
  }
}

// ---- the broker

// An activator as it keeps to the rules: what it holds by what it was told.
struct Activator {
  std::string id = {};
  int64_t started = 1;
  uint64_t session = 0;
  bool shared = true;
  int64_t epoch = 0;
  uint32_t limit = 0;  // the revision's, for when it has everything
  std::map<std::string, uint32_t> listed = {};  // it knows, with what it holds
  std::map<std::string, uint32_t> granted = {};
  std::map<std::string, uint32_t> returned = {};
  std::optional<uint32_t> share = {};
  std::vector<std::string> asked = {};
};

class SlotBrokerTest : public testing::Test {
 protected:
  static constexpr char kKey[] = "ns/a";

  void Start(const std::set<std::string>& known = {}) {
    broker = std::make_unique<SlotBroker>(now, known);
    for (Activator* activator : {&p, &q}) activator->session = 0;
  }
  void Instances(uint32_t limit, const std::vector<std::string>& ids, bool adopted = false) {
    limit_ = limit;
    ids_ = ids;
    std::vector<SlotBroker::InstanceFacts> facts;
    for (const std::string& id : ids) facts.push_back({.id = id, .listed = true, .takes = true, .adopted = adopted});
    broker->SetRevision(kKey, limit, kTimeout, facts, now);
  }
  // Its stream opens, and it says what it has.
  void Connect(Activator& activator, bool beside = false) {
    activator.session = ++sessions_;
    v1::ActivatorHello hello;
    hello.set_activator_id(activator.id);
    hello.set_started_ns(activator.started);
    hello.set_lineage(activator.id.substr(0, 1));
    hello.set_beside(beside);
    hello.set_alone(!activator.shared);
    activator.epoch = 0;
    activator.granted.clear();
    activator.returned.clear();
    activator.share.reset();
    if (activator.shared) {
      for (const auto& [instance, slots] : activator.listed) {
        activator.granted[instance] = slots;
        if (slots == 0) continue;
        v1::HeldSlots& held = *hello.add_held();
        held.set_instance_id(instance);
        held.set_slots(slots);
      }
    }
    broker->Hello(activator.session, hello, now);
    Take(activator, /*whatever=*/true);
  }
  void Lose(Activator& activator) {
    broker->End(activator.session, now);
    activator.session = 0;
  }
  // A new process in its place.
  void Restart(Activator& activator) {
    const std::string id = activator.id;
    activator = {.id = id, .started = activator.started + 1};
  }
  // It is told what there is, and does it. False: there was nothing.
  bool Take(Activator& activator, bool whatever = false) {
    if (!whatever && !broker->HasNews(activator.session)) return false;
    v1::RoutingUpdate update;
    broker->Tell(activator.session, update);
    activator.asked.clear();
    if (!update.has_sharing()) {
      activator.shared = false;
      activator.listed.clear();
      for (const std::string& id : ids_) activator.listed[id] = limit_;
      return true;
    }
    const v1::Sharing& sharing = update.sharing();
    if (!activator.shared || activator.epoch != sharing.epoch()) {
      activator.shared = true;
      activator.epoch = sharing.epoch();
      activator.granted = activator.listed;
      activator.returned.clear();
    }
    for (const v1::RevisionSlots& slots : sharing.revisions()) {
      activator.share.reset();
      if (slots.has_share()) activator.share = slots.share();
      for (const v1::GrantedSlots& granted : slots.granted()) {
        uint32_t& seen = activator.granted[granted.instance_id()];
        if (granted.granted() > seen) activator.listed[granted.instance_id()] += granted.granted() - seen;
        seen = std::max(seen, granted.granted());
      }
    }
    activator.asked.assign(sharing.demand_of().begin(), sharing.demand_of().end());
    return true;
  }
  void Demand(Activator& activator, uint32_t running, uint32_t waiting) {
    v1::SlotDemand demand;
    v1::RevisionDemand& of = *demand.add_revisions();
    of.set_revision(kKey);
    of.set_running(running);
    of.set_waiting(waiting);
    broker->Demand(activator.session, demand, now);
  }
  void Return(Activator& activator, const std::string& instance, uint32_t slots) {
    activator.listed[instance] -= slots;
    activator.returned[instance] += slots;
    SayReturned(activator, instance);
  }
  void SayReturned(Activator& activator, const std::string& instance) {
    v1::SlotsReturned returned;
    returned.set_epoch(activator.epoch);
    v1::ReturnedSlots& of = *returned.add_instances();
    of.set_instance_id(instance);
    of.set_returned(activator.returned[instance]);
    broker->Returned(activator.session, returned, now);
  }
  static uint32_t Holds(const Activator& activator, const std::string& instance = "i") {
    const auto held = activator.listed.find(instance);
    return held == activator.listed.end() ? 0 : held->second;
  }
  // P has all of "i", then Q comes.
  void Both(uint32_t limit) {
    Start();
    Instances(limit, {"i"});
    Connect(p);
    Connect(q);
    Take(p);
  }
  void Pass(Nanos span) {
    now += span;
    while (broker->wake_at() && *broker->wake_at() <= now) broker->Wake(*broker->wake_at());
  }

  TimePoint now = kStart;
  std::unique_ptr<SlotBroker> broker;
  Activator p{.id = "p"};
  Activator q{.id = "q"};

 private:
  uint64_t sessions_ = 0;
  uint32_t limit_ = 0;
  std::vector<std::string> ids_;
};

TEST_F(SlotBrokerTest, OneHasEverythingAndHearsNothingOfIt) {
  Start();
  Instances(3, {"i"});
  Connect(p);
  EXPECT_FALSE(p.shared);
  Instances(3, {"i", "j"});
  Demand(p, 3, 5);
  EXPECT_FALSE(broker->HasNews(p.session));
  EXPECT_EQ(broker->wake_at(), std::nullopt);
  // Nor when its stream breaks, or the controller or itself is another.
  Lose(p);
  Connect(p);
  EXPECT_FALSE(p.shared);
  Start({"p"});
  Instances(3, {"i", "j"}, /*adopted=*/true);
  Connect(p);
  EXPECT_FALSE(p.shared);
  Start({"p"});
  Instances(3, {"i", "j"}, /*adopted=*/true);
  Restart(p);
  Connect(p);
  EXPECT_FALSE(p.shared) << "both are new: a process of the lineage is the only one that there can be";
}

TEST_F(SlotBrokerTest, ANewcomerGetsWhatTheFirstGivesUp) {
  Both(10);
  EXPECT_TRUE(p.shared);
  EXPECT_EQ(Holds(p), 10u);
  EXPECT_EQ(Holds(q), 0u);
  EXPECT_FALSE(p.share) << "nobody is short";
  Demand(q, 0, 4);
  ASSERT_TRUE(Take(p));
  EXPECT_EQ(p.share, 3u) << "six are left over, half of which are its own";
  EXPECT_THAT(p.asked, ElementsAre(kKey)) << "it may need them";
  EXPECT_FALSE(Take(q) && Holds(q) > 0) << "none is free before it is given back";
  Return(p, "i", 7);
  ASSERT_TRUE(Take(q));
  EXPECT_EQ(Holds(q), 7u);
  EXPECT_TRUE(Take(p));
  EXPECT_FALSE(p.share) << "nobody is short any more";
}

TEST_F(SlotBrokerTest, WhatIsSaidLateOrTwiceOrInAnEarlierEpochDoesNoHarm) {
  Both(4);
  Demand(q, 0, 4);
  Take(p);
  Return(p, "i", 2);
  SayReturned(p, "i");
  Take(q);
  EXPECT_EQ(Holds(q), 2u);
  EXPECT_EQ(broker->HeldBy("p", "i"), 2u);
  v1::SlotsReturned old;
  old.set_epoch(p.epoch - 1);
  old.add_instances()->set_instance_id("i");
  old.mutable_instances(0)->set_returned(4);
  broker->Returned(p.session, old, now);
  EXPECT_EQ(broker->HeldBy("p", "i"), 2u);
  v1::SlotsReturned more;
  more.set_epoch(p.epoch);
  *more.add_instances() = old.instances(0);
  more.mutable_instances(0)->set_returned(99);
  broker->Returned(p.session, more, now);
  EXPECT_EQ(broker->HeldBy("p", "i"), 0u) << "no more than it was granted";
}

TEST_F(SlotBrokerTest, TheOnlySlotGoesFromOneToTheOther) {
  Both(1);
  Activator* holder = &p;
  Activator* other = &q;
  for (int turn = 0; turn < 6; ++turn) {
    now += Millis(20);
    Demand(*holder, 1, 3);
    Demand(*other, 0, 3);
    Take(*other);
    ASSERT_TRUE(Take(*holder)) << turn;
    ASSERT_EQ(holder->share, 0u) << turn;
    Return(*holder, "i", 1);
    ASSERT_TRUE(Take(*other));
    ASSERT_EQ(Holds(*other), 1u) << turn;
    // For a while it is left there.
    now += Millis(5);
    Demand(*holder, 0, 3);
    Take(*other);
    ASSERT_FALSE(other->share) << turn;
    std::swap(holder, other);
  }
}

TEST_F(SlotBrokerTest, AnIdleHolderIsAskedAndGivesUp) {
  Both(2);
  Demand(p, 2, 0);
  now += Seconds(5);
  Demand(q, 0, 1);
  Take(p);
  EXPECT_THAT(p.asked, ElementsAre(kKey));
  EXPECT_EQ(p.share, 1u) << "as it wanted two when it was heard last";
  Demand(q, 0, 2);
  EXPECT_FALSE(Take(p)) << "asked once, until it has answered";
  Demand(p, 0, 0);
  ASSERT_TRUE(Take(p));
  EXPECT_EQ(p.share, 0u);
  Return(p, "i", 2);
  Take(q);
  EXPECT_EQ(Holds(q), 2u);
}

TEST_F(SlotBrokerTest, OneThatGaveItsSlotUpDoesNotCountAsWantingIt) {
  Both(1);
  Activator r{.id = "r"};
  Connect(r);
  Demand(p, 1, 0);  // was the last that is heard of it
  Demand(q, 0, 1);
  Take(p);
  Return(p, "i", 1);
  Take(q);
  ASSERT_EQ(Holds(q), 1u);
  now += Seconds(1);
  Demand(q, 0, 0);
  Demand(r, 0, 1);
  ASSERT_TRUE(Take(q));
  EXPECT_EQ(q.share, 0u);
  Return(q, "i", 1);
  Take(r);
  EXPECT_EQ(Holds(r), 1u);
}

TEST_F(SlotBrokerTest, NewInstancesAreSharedAtOnceByWhatIsWanted) {
  Both(1);
  Demand(q, 0, 1);
  Instances(1, {"i", "j"});
  Take(q);
  EXPECT_EQ(Holds(q, "j"), 1u);
  Instances(4, {"i", "j", "k"});
  Take(p);
  Take(q);
  EXPECT_EQ(Holds(p) + Holds(p, "k"), 3u);
  EXPECT_EQ(Holds(q, "j") + Holds(q, "k"), 3u) << "evenly";
}

TEST_F(SlotBrokerTest, DrainingInstancesAreNotGranted) {
  Both(2);
  Demand(q, 0, 2);
  Take(p);
  broker->SetRevision(kKey, 2, kTimeout, {{.id = "i", .listed = true, .takes = false}}, now);
  Return(p, "i", 2);
  Take(q);
  EXPECT_EQ(Holds(q), 0u);
}

TEST_F(SlotBrokerTest, WhatALostOneHeldIsItsOwnUntilTheLeaseIsOver) {
  Both(4);
  Demand(q, 0, 4);
  Take(p);
  Return(p, "i", 2);
  Take(q);
  ASSERT_EQ(Holds(q), 2u);
  Lose(p);
  Pass(kSlotLossPatience + kTimeout - Millis(1));
  Demand(q, 2, 4);
  Take(q);
  EXPECT_EQ(Holds(q), 2u);
  EXPECT_THAT(broker->TakeForgotten(), IsEmpty());
  Pass(Millis(1));
  ASSERT_TRUE(Take(q));
  EXPECT_FALSE(q.shared) << "it is the only one now";
  EXPECT_EQ(Holds(q), 4u);
  EXPECT_THAT(broker->TakeForgotten(), ElementsAre("p"));
}

TEST_F(SlotBrokerTest, OneThatComesBackHasWhatItSays) {
  Both(4);
  Lose(p);
  p.listed["i"] = 1;
  Connect(p);
  EXPECT_EQ(broker->HeldBy("p", "i"), 1u + 1u) << "and its part of what is free";
  Take(p);
  Take(q);
  EXPECT_EQ(Holds(p) + Holds(q), 4u);
}

TEST_F(SlotBrokerTest, ANewProcessVoidsTheOneBeforeIt) {
  Both(4);
  const uint64_t old = p.session;
  Restart(p);
  Connect(p);  // before the end of the old one's stream is noticed
  Take(q);
  EXPECT_EQ(Holds(p) + Holds(q), 4u);
  broker->End(old, now);
  EXPECT_THAT(broker->TakeForgotten(), IsEmpty());
  Lose(p);
  Restart(p);
  Connect(p);
  EXPECT_EQ(broker->HeldBy("p", "i") + broker->HeldBy("q", "i"), 4u);
}

TEST_F(SlotBrokerTest, AHelloOfADeadProcessThatComesLateChangesNothing) {
  Start();
  Instances(4, {"i"});
  Connect(q);
  Activator dead{.id = "p", .started = 1};
  dead.session = 2;  // opened before the next
  p.started = 2;
  Connect(p);        // session 2 by count: one later
  Connect(p);
  v1::ActivatorHello hello;
  hello.set_activator_id("p");
  hello.set_started_ns(1);
  hello.set_lineage("p");
  broker->Hello(1'000, hello, now);  // a later stream: that one is the newer
  EXPECT_EQ(broker->HeldBy("q", "i"), 4u);
  broker->End(1'000, now);
  v1::ActivatorHello third = hello;
  third.set_started_ns(3);
  broker->Hello(2'000, third, now);
  third.set_started_ns(4);
  broker->Hello(1'500, third, now);  // of a stream that was opened before the last one's
  v1::RoutingUpdate update;
  broker->Tell(1'500, update);
  EXPECT_TRUE(update.has_sharing());
  EXPECT_EQ(update.sharing().revisions_size(), 0);
}

TEST_F(SlotBrokerTest, InAHandOverTheOldOneKeepsItsSlotsUntilItsStreamEnds) {
  Start();
  Instances(4, {"i"});
  Connect(p);
  Activator successor{.id = "p-1", .started = 2};
  Connect(successor, /*beside=*/true);
  Take(p);
  EXPECT_EQ(Holds(p), 4u);
  EXPECT_EQ(Holds(successor), 0u);
  Lose(p);
  ASSERT_TRUE(Take(successor));
  EXPECT_FALSE(successor.shared);
  EXPECT_EQ(Holds(successor), 4u);
  EXPECT_THAT(broker->TakeForgotten(), IsEmpty()) << "the lineage goes on";
}

TEST_F(SlotBrokerTest, ARestartedControllerWaitsForThoseItKnowsOf) {
  Both(4);
  Demand(q, 0, 4);
  Take(p);
  Return(p, "i", 2);
  Take(q);
  Start({"p", "q"});
  Instances(4, {"i"}, /*adopted=*/true);
  Connect(q);
  Demand(q, 2, 4);
  Take(q);
  EXPECT_EQ(Holds(q), 2u) << "the others may be in use";
  broker->SetRevision("ns/b", 1, kTimeout, {{.id = "new", .listed = true, .takes = true}}, now);
  Take(q);
  EXPECT_EQ(Holds(q, "new"), 1u) << "nobody can have it";
  Connect(p);
  EXPECT_EQ(broker->HeldBy("p", "i"), 2u);
  EXPECT_EQ(broker->HeldBy("q", "i"), 2u);
}

TEST_F(SlotBrokerTest, WhatIsGivenBackOfAnInstanceBeforeItIsKnownIsCountedOn) {
  Both(1);
  Start({"p", "q"});
  Connect(p);  // the nodes have not been heard yet
  Connect(q);
  Return(p, "i", 1);
  SayReturned(p, "i");
  Instances(1, {"i"}, /*adopted=*/true);
  Demand(p, 0, 1);
  Take(p);
  EXPECT_EQ(broker->HeldBy("p", "i"), 1u);
  EXPECT_EQ(Holds(p), 1u) << "the sums are of one epoch: what was given back before does not come back as given back now";
}

TEST_F(SlotBrokerTest, ButNotForLongerThanTheLease) {
  Both(4);
  Demand(q, 0, 4);
  Take(p);
  Return(p, "i", 2);
  Take(q);
  Start({"p", "q"});
  Instances(4, {"i"}, /*adopted=*/true);
  Connect(q);
  Pass(kSlotLossPatience + kTimeout - Millis(1));
  Take(q);
  EXPECT_EQ(Holds(q), 2u);
  Pass(Millis(1));
  Take(q);
  EXPECT_EQ(Holds(q), 4u);
  EXPECT_FALSE(q.shared);
  EXPECT_THAT(broker->TakeForgotten(), ElementsAre("p"));
}

TEST_F(SlotBrokerTest, OneThatWasAloneBeforeTheControllersRestartHasEverythingThenToo) {
  Start();
  Instances(4, {"i"});
  Connect(p);
  Start({"p", "q"});  // q was remembered, and got nothing yet
  Connect(q);
  Connect(p);
  Instances(4, {"i"}, /*adopted=*/true);  // its node is heard last
  Take(p);
  Take(q);
  EXPECT_TRUE(p.shared);
  EXPECT_EQ(broker->HeldBy("p", "i"), 4u);
  EXPECT_EQ(Holds(q), 0u);
}

TEST_F(SlotBrokerTest, AnInstanceThatIsGoneIsForgottenOnceNobodyHoldsAnyOfIt) {
  Both(2);
  Instances(2, {});
  Take(p);
  EXPECT_EQ(broker->HeldBy("p", "i"), 2u) << "its node may only have been silent";
  Return(p, "i", 2);
  v1::RoutingUpdate update;
  broker->Tell(q.session, update);
  EXPECT_THAT(update.sharing().forgotten(), ElementsAre("i"));
}

}  // namespace
}  // namespace updraft::controller
