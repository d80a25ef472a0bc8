#include "autoscaler/collect/load_streams.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

using Word = LoadStreams::Word;

TEST(LoadStreamsTest, AStreamBeginsGoesOnAndEnds) {
  LoadStreams streams;
  EXPECT_EQ(streams.Hear(1, "a"), Word::kFirst);
  EXPECT_EQ(streams.Hear(1, "a"), Word::kMore);
  EXPECT_EQ(streams.Hear(2, "b"), Word::kFirst);
  EXPECT_EQ(streams.End(1), "a");
  EXPECT_EQ(streams.End(2), "b");
}

TEST(LoadStreamsTest, WhatAReplacedStreamStillSaysIsLateAndItsEndIsNobodysEnd) {
  LoadStreams streams;
  EXPECT_EQ(streams.Hear(1, "a"), Word::kFirst);
  EXPECT_EQ(streams.Hear(2, "a"), Word::kFirst);
  EXPECT_EQ(streams.Hear(1, "a"), Word::kLate);
  EXPECT_EQ(streams.End(1), std::nullopt);
  EXPECT_EQ(streams.Hear(2, "a"), Word::kMore);
  EXPECT_EQ(streams.End(2), "a");
}

TEST(LoadStreamsTest, AReplacedStreamStaysLateWhenItsSuccessorHasEnded) {
  LoadStreams streams;
  EXPECT_EQ(streams.Hear(1, "a"), Word::kFirst);
  EXPECT_EQ(streams.Hear(2, "a"), Word::kFirst);
  EXPECT_EQ(streams.End(2), "a");
  EXPECT_EQ(streams.Hear(1, "a"), Word::kLate);
  EXPECT_EQ(streams.End(1), std::nullopt);
}

TEST(LoadStreamsTest, AStreamThatNeverSpokeEndsUnnoticed) { EXPECT_EQ(LoadStreams().End(1), std::nullopt); }

}  // namespace
}  // namespace updraft::autoscaler
