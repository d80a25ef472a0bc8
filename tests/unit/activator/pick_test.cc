#include "activator/queue/pick.h"

#include <gtest/gtest.h>

#include <map>

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
    const Instance* instance = PickInstance(set, limit, next, random);
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

TEST(PickTest, NoInstancesNoChoice) { EXPECT_EQ(Picks(InstanceSet{}, 0, 1), "-"); }

}  // namespace
}  // namespace updraft::activator
