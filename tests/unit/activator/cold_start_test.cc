#include "activator/stats/cold_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace updraft::activator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ColdStartTimes kWhole{.queued_ns = 1000,
                                .decided_ns = 1010,
                                .placed_ns = 1030,
                                .claimed_ns = 1060,
                                .started_ns = 1100,
                                .listening_ns = 1150,
                                .ready_ns = 1210,
                                .routed_ns = 1280,
                                .first_byte_ns = 1360};

TEST(ColdStartTest, PhasesAreTheTimesBetweenAndAddUp) {
  EXPECT_THAT(PhasesOf(kWhole),
              ElementsAre(ColdStartPhase{"decided", Nanos(10)}, ColdStartPhase{"placed", Nanos(20)},
                          ColdStartPhase{"claimed", Nanos(30)}, ColdStartPhase{"started", Nanos(40)},
                          ColdStartPhase{"listening", Nanos(50)}, ColdStartPhase{"ready", Nanos(60)},
                          ColdStartPhase{"routed", Nanos(70)}, ColdStartPhase{"first_byte", Nanos(80)}));
  EXPECT_EQ(TotalOf(kWhole), Nanos(360));
}

TEST(ColdStartTest, WhatDidNotHappenIsLeftOutAndTheSumStays) {
  ColdStartTimes times = kWhole;
  times.ready_ns = 0;
  EXPECT_EQ(PhasesOf(times).size(), 7u);
  EXPECT_EQ(PhasesOf(times)[5], (ColdStartPhase{"routed", Nanos(130)}));
  EXPECT_EQ(TotalOf(times), Nanos(360));
}

TEST(ColdStartTest, AClockThatWentBackGivesNoNegativePhase) {
  const ColdStartTimes times{.queued_ns = 1000, .decided_ns = 900, .placed_ns = 1100};
  EXPECT_THAT(PhasesOf(times),
              ElementsAre(ColdStartPhase{"decided", Nanos(0)}, ColdStartPhase{"placed", Nanos(100)}));
}

TEST(ColdStartTest, NobodyWasQueuedNoPhases) {
  EXPECT_THAT(PhasesOf({.placed_ns = 5, .routed_ns = 9}), IsEmpty());
  EXPECT_EQ(ServerTiming({.placed_ns = 5}), "");
}

TEST(ColdStartTest, ServerTimingIsInMilliseconds) {
  EXPECT_EQ(ServerTiming({.queued_ns = 1'000'000, .decided_ns = 1'412'000, .first_byte_ns = 44'120'000}),
            "decided;dur=0.412, first_byte;dur=42.708, total;dur=43.120");
}

}  // namespace
}  // namespace updraft::activator
