#include "core/store/write_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

namespace updraft::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(WriteOrderTest, WhatSharesNoKeyGoesAtOnceAndTheRestFollows) {
  WriteOrder order(10);
  const auto a = order.Add({"a"});
  const auto ab = order.Add({"a", "b"});
  const auto b = order.Add({"b"});
  const auto c = order.Add({"c"});
  EXPECT_THAT(order.TakeReady(), ElementsAre(a, c));
  EXPECT_THAT(order.TakeReady(), IsEmpty());
  order.Done(c);
  EXPECT_THAT(order.TakeReady(), IsEmpty());
  EXPECT_FALSE(order.AllDoneUpTo(a));
  order.Done(a);
  EXPECT_TRUE(order.AllDoneUpTo(a));
  EXPECT_FALSE(order.AllDoneUpTo(ab));
  EXPECT_THAT(order.TakeReady(), ElementsAre(ab));
  order.Done(ab);
  EXPECT_THAT(order.TakeReady(), ElementsAre(b));
  order.Done(b);
  EXPECT_EQ(order.queued(), 0u);
  EXPECT_TRUE(order.AllDoneUpTo(order.last()));
}

TEST(WriteOrderTest, NoMoreRunThanAllowed) {
  WriteOrder order(2);
  for (const char* key : {"a", "b", "c"}) order.Add({key});
  EXPECT_THAT(order.TakeReady(), ElementsAre(1, 2));
  order.Done(2);
  EXPECT_THAT(order.TakeReady(), ElementsAre(3));
}

TEST(WriteOrderTest, EveryKeySeesItsTransactionsInOrderAndAllOfThemRun) {
  std::mt19937 random(11);
  WriteOrder order(8);
  std::map<WriteOrder::Ticket, std::set<std::string>> keys_of;
  std::map<std::string, WriteOrder::Ticket> last;
  std::set<std::string> in_use;
  std::vector<WriteOrder::Ticket> running;
  size_t done = 0;
  for (int step = 0; step < 4000 || done < keys_of.size(); ++step) {
    if (step < 4000 && random() % 3 != 0) {
      std::set<std::string> keys;
      for (size_t i = 0; i <= random() % 3; ++i)
        keys.insert(std::string(1, static_cast<char>('a' + random() % 12)));
      const auto ticket = order.Add(keys);
      keys_of[ticket] = keys;
    }
    for (const WriteOrder::Ticket ticket : order.TakeReady()) {
      running.push_back(ticket);
      for (const std::string& key : keys_of.at(ticket)) {
        EXPECT_TRUE(in_use.insert(key).second) << "two use one key at once";
        EXPECT_LT(last[key], ticket) << "out of order";
        last[key] = ticket;
      }
    }
    ASSERT_LE(running.size(), 8u);
    if (running.empty()) continue;
    const size_t one = random() % running.size();
    for (const std::string& key : keys_of.at(running[one])) in_use.erase(key);
    order.Done(running[one]);
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(one));
    ++done;
  }
  EXPECT_EQ(order.queued(), 0u);
}

}  // namespace
}  // namespace updraft::store
