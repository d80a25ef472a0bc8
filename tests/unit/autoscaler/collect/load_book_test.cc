#include "autoscaler/collect/load_book.h"

#include <gtest/gtest.h>

namespace updraft::autoscaler {
namespace {

TEST(LoadBookTest, DifferencesOfIntegrals) {
  LoadBook book;
  book.Begin("a", 1);
  EXPECT_DOUBLE_EQ(book.Record("a", "r", {.request_seconds = 2, .request_count = 4}, false).request_seconds, 2);
  const LoadChange change = book.Record("a", "r", {.request_seconds = 5.5, .request_count = 10}, false);
  EXPECT_DOUBLE_EQ(change.request_seconds, 3.5);
  EXPECT_DOUBLE_EQ(change.requests, 6);
}

TEST(LoadBookTest, ThePastOfAnOlderActivatorIsNotLoad) {
  LoadBook book;
  book.Begin("a", 1);
  EXPECT_DOUBLE_EQ(book.Record("a", "r", {.request_seconds = 1e6}, true).request_seconds, 0);
  EXPECT_DOUBLE_EQ(book.Record("a", "r", {.request_seconds = 1e6 + 1}, false).request_seconds, 1);
}

TEST(LoadBookTest, AStreamThatBreaksLosesNothing) {
  LoadBook book;
  book.Begin("a", 1);
  book.Record("a", "r", {.request_seconds = 1}, false);
  book.End("a");
  book.Begin("a", 1);
  EXPECT_DOUBLE_EQ(book.Record("a", "r", {.request_seconds = 4}, true).request_seconds, 3);
}

TEST(LoadBookTest, ARestartedActivatorBeginsAtZero) {
  LoadBook book;
  book.Begin("a", 1);
  book.Record("a", "r", {.request_seconds = 100}, false);
  book.Begin("a", 2);
  EXPECT_DOUBLE_EQ(book.Record("a", "r", {.request_seconds = 2}, false).request_seconds, 2);
}

TEST(LoadBookTest, OfThoseWhoLeftOnlyTheLastAreRemembered) {
  LoadBook book;
  const auto report = [&book](const std::string& activator, double seconds, bool first) {
    book.Begin(activator, 1);
    return book.Record(activator, "r", {.request_seconds = seconds}, first).request_seconds;
  };
  report("first", 10, false);
  book.End("first");
  for (size_t i = 0; i < kDepartedMax - 1; ++i) {
    report("next-" + std::to_string(i), 1, false);
    book.End("next-" + std::to_string(i));
  }
  EXPECT_DOUBLE_EQ(report("first", 12, true), 2);  // one of the last: it goes on where it was
  book.End("first");
  for (size_t i = 0; i < kDepartedMax; ++i) {
    report("later-" + std::to_string(i), 1, false);
    book.End("later-" + std::to_string(i));
  }
  EXPECT_DOUBLE_EQ(report("first", 20, true), 0);  // forgotten: its past is not load of now
  EXPECT_DOUBLE_EQ(report("first", 21, false), 1);
}

TEST(LoadBookTest, WaitingAddsUpAndLeavesWithItsActivator) {
  LoadBook book;
  book.Begin("a", 1);
  book.Begin("b", 1);
  book.Record("a", "r", {.waiting = 3}, false);
  book.Record("b", "r", {.waiting = 4}, false);
  EXPECT_EQ(book.Waiting("r"), 7u);
  book.End("a");
  EXPECT_EQ(book.Waiting("r"), 4u);
  EXPECT_TRUE(book.AnyActivator());
  book.End("b");
  EXPECT_FALSE(book.AnyActivator());
}

TEST(LoadBookTest, WhatANewStreamDoesNotTellDoesNotWait) {
  LoadBook book;
  book.Begin("a", 1);
  book.Record("a", "r", {.request_seconds = 2, .request_count = 3, .waiting = 3}, true);
  book.Begin("a", 1);  // before the older stream was seen to end
  EXPECT_EQ(book.Waiting("r"), 0u);
  EXPECT_DOUBLE_EQ(book.Record("a", "r", {.request_seconds = 5, .request_count = 3}, true).request_seconds, 3);
}

TEST(LoadBookTest, AnotherRevisionOfTheNameBeginsAtZero) {
  LoadBook book;
  book.Begin("a", 1);
  book.Record("a", "r", {.request_seconds = 20, .request_count = 9, .waiting = 3, .read_at = Seconds(5)}, false);
  const LoadChange change =
      book.Record("a", "r", {.request_seconds = 4, .request_count = 2, .waiting = 1, .read_at = Seconds(6)}, false);
  EXPECT_DOUBLE_EQ(change.request_seconds, 4);
  EXPECT_DOUBLE_EQ(change.requests, 2);
  EXPECT_EQ(change.waiting, 1u);
}

}  // namespace
}  // namespace updraft::autoscaler
