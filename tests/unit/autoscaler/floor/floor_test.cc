#include "autoscaler/floor/floor.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

using std::chrono::minutes;

class FloorTest : public testing::Test {
 protected:
  FloorTest() {
    policy_.adaptive_keep_alive = true;
    floor_.Configure(policy_);
  }

  // `count` calls, `apart` from each other.
  void Calls(int count, Nanos apart) {
    for (int i = 0; i < count; ++i) floor_.OnActivity(now_ += apart);
  }
  int After(Nanos idle) { return floor_.At(policy_, now_ + idle, WallTime()); }

  Policy policy_;
  Floor floor_;
  TimePoint now_{Seconds(100'000)};
};

TEST_F(FloorTest, NothingIsKeptBeforeEnoughIsKnown) {
  Calls(10, minutes(30));  // nine idle times
  EXPECT_EQ(After(minutes(29)), 0);
}

TEST_F(FloorTest, AnInstanceIsThereWhenTheNextCallIsToBeExpected) {
  Calls(11, minutes(30));
  EXPECT_EQ(After(minutes(1)), 0);
  EXPECT_EQ(After(minutes(27) - Nanos(1)), 0);
  EXPECT_EQ(After(minutes(27)), 1);
  EXPECT_EQ(After(minutes(34)), 1);
  EXPECT_EQ(After(Seconds(31 * 66)), 0);
}

TEST_F(FloorTest, WhatTheWindowBridgesIsNoIdleTime) {
  Calls(1000, Seconds(60));  // stable window: 60 s
  EXPECT_EQ(floor_.histogram()->samples(), 0u);
  Calls(1, Seconds(61));
  EXPECT_EQ(floor_.histogram()->samples(), 1u);
}

TEST_F(FloorTest, IsOffUnlessWanted) {
  policy_.adaptive_keep_alive = false;
  floor_.Configure(policy_);
  Calls(50, minutes(30));
  EXPECT_EQ(After(minutes(30)), 0);
  EXPECT_EQ(floor_.histogram(), nullptr);
}

TEST_F(FloorTest, WhatWasLearnedOutlivesANewPolicy) {
  Calls(11, minutes(30));
  policy_.min_scale = 0;
  policy_.target = 5;
  floor_.Configure(policy_);
  EXPECT_EQ(After(minutes(30)), 1);
}

TEST_F(FloorTest, TheLargerOfScheduleAndExpectationHolds) {
  Calls(11, minutes(30));
  policy_.schedule = *api::Schedule::Parse("3 from 0 0 * * * for 1h");
  floor_.Configure(policy_);
  EXPECT_EQ(After(minutes(30)), 3);  // the wall shows midnight
  EXPECT_EQ(floor_.At(policy_, now_ + minutes(30), WallTime(minutes(60))), 1);
  // A clock that is set back is believed.
  EXPECT_EQ(floor_.At(policy_, now_ + minutes(30), WallTime(minutes(59))), 3);
}

}  // namespace
}  // namespace updraft::autoscaler
