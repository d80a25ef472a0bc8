#include "activator/queue/pick.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace updraft::activator {
namespace {

InstanceSet Instances(int count) {
  InstanceSet set;
  for (int i = 0; i < count; ++i) {
    set.open.push_back(std::make_shared<Instance>(InstanceAddress{.id = std::to_string(i)}));
  }
  return set;
}

// The ids that `count` requests go to when none ends.
std::string Picks(const InstanceSet& set, uint32_t limit, int count) {
  uint32_t next = 0;
  std::minstd_rand random(1);
  std::string ids;
  for (const auto& instance : set.open) instance->SetLimit(limit == 0 ? Instance::kLimitMax : limit);
  for (int i = 0; i < count; ++i) {
    const Instance* instance = PickInstance(set, limit, 0, next, random);
    ids += instance == nullptr ? "-" : instance->id();
  }
  return ids;
}

TEST(PickTest, SmallLimitsFillOneInstanceAfterTheOther) {
  EXPECT_EQ(Picks(Instances(3), 1, 5), "012--");
  EXPECT_EQ(Picks(Instances(3), 3, 10), "000111222-");
}

TEST(PickTest, LargerLimitsGoRound) { EXPECT_EQ(Picks(Instances(3), 4, 13), "012012012012-"); }

TEST(PickTest, TheRoundSkipsFullInstances) {
  const InstanceSet set = Instances(3);
  for (int i = 0; i < 4; ++i) set.open[1]->TryTake();
  EXPECT_EQ(Picks(set, 4, 9), "02020202-");
}

TEST(PickTest, ClosedAndEjectedInstancesGetNothing) {
  const InstanceSet set = Instances(3);
  set.open[0]->Close();
  set.open[1]->Eject();
  EXPECT_EQ(Picks(set, 1, 2), "2-");
  EXPECT_EQ(Picks(set, 0, 20), std::string(20, '2'));
  set.open[1]->Restore();
  set.open[0]->Reopen();
  EXPECT_EQ(Picks(set, 1, 3), "01-");
}

TEST(PickTest, WithoutALimitTheLessLoadedOfTwoIsTaken) {
  const InstanceSet set = Instances(2);
  for (int i = 0; i < 10; ++i) set.open[0]->TryTake();
  EXPECT_EQ(Picks(set, 0, 10), "1111111111");
}

TEST(PickTest, WithoutALimitLoadSpreadsEvenly) {
  const InstanceSet set = Instances(10);
  Picks(set, 0, 1000);
  for (const auto& instance : set.open) EXPECT_NEAR(instance->in_flight(), 100, 5);
}

// `pick` chooses for `count` requests, of which `in_flight` run at any time and end in no order. Returns those chosen.
template <typename Pick>
std::vector<const Instance*> Serve(size_t in_flight, int count, const Pick& pick) {
  std::vector<const Instance*> chosen;
  std::vector<Instance*> running;
  std::minstd_rand random(2);
  for (int i = 0; i < count; ++i) {
    if (running.size() == in_flight) {
      std::swap(running[random() % in_flight], running.back());
      running.back()->Return();
      running.pop_back();
    }
    running.push_back(pick());
    chosen.push_back(running.back());
  }
  for (Instance* instance : running) instance->Return();
  return chosen;
}

TEST(PickTest, OfManyAFewIdleOnesHaveATurnAndAllHaveTheSameShare) {
  for (const uint32_t limit : {0u, 10u}) {
    for (const uint32_t running : {10u, 100u}) {
      const InstanceSet set = Instances(1000);
      for (const auto& instance : set.open) instance->SetLimit(limit == 0 ? Instance::kLimitMax : limit);
      uint32_t next = 0;
      std::minstd_rand random(1);
      std::map<const Instance*, int> shares;
      int met = 0;
      const std::vector<const Instance*> chosen = Serve(running, 96'000, [&] {
        Instance* instance = PickInstance(set, limit, running, next, random);
        ++shares[instance];
        met += instance->in_flight() > 1;
        return instance;
      });
      EXPECT_LT(met, 300);
      for (auto from = chosen.begin(); from != chosen.end(); from += 1000) {
        EXPECT_LT(std::set(from, from + 1000).size(), 140 + running + running / 2);
      }
      for (const auto& instance : set.open) EXPECT_NEAR(shares[instance.get()], 96, 60);
    }
  }
}

TEST(PickTest, OfManyBusyOnesFewerRequestsMeetAnotherThanByTwoAtRandom) {
  for (const uint32_t running : {50, 500, 900, 2000}) {
    const InstanceSet set = Instances(1000);
    uint32_t next = 0;
    std::minstd_rand random(1);
    int met = 0;
    Serve(running, 50'000, [&] {
      Instance* instance = PickInstance(set, 0, running, next, random);
      met += instance->in_flight() > 1;
      return instance;
    });
    int met_by_two_at_random = 0;
    Serve(running, 50'000, [&] {
      Instance* one = set.open[random() % 1000].get();
      Instance* other = set.open[random() % 1000].get();
      if (other->in_flight() < one->in_flight()) one = other;
      met_by_two_at_random += one->in_flight() > 0;
      one->TryTake();
      return one;
    });
    EXPECT_LE(met, met_by_two_at_random * 1.01) << running;
  }
}

TEST(PickTest, OfManyWithoutAnIdleOneTheRoundGoesOn) {
  const InstanceSet set = Instances(100);
  for (const auto& instance : set.open) instance->SetLimit(4);
  for (const auto& instance : set.open) instance->TryTake();
  for (int i = 0; i < 3; ++i) set.open[1]->TryTake();
  uint32_t next = 0;
  std::minstd_rand random(1);
  std::string ids;
  for (int i = 0; i < 100; ++i) ids += PickInstance(set, 4, 0, next, random)->id() + " ";
  EXPECT_TRUE(ids.starts_with("0 2 3 4 ")) << ids;
  EXPECT_TRUE(ids.ends_with("98 99 0 ")) << ids;
}

TEST(PickTest, AnEjectedInstanceHasNoTurn) {
  const InstanceSet set = Instances(100);
  for (size_t i = 1; i < set.open.size(); ++i) set.open[i]->Eject();
  uint32_t next = 0;
  std::minstd_rand random(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(PickInstance(set, 0, 0, next, random), set.open[0].get());
}

TEST(PickTest, NoInstancesNoChoice) { EXPECT_EQ(Picks(InstanceSet{}, 0, 1), "-"); }

}  // namespace
}  // namespace updraft::activator
