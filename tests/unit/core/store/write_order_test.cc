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

TEST(WriteOrderTest, ThoseWhoOnlyLookAtAKeyGoTogether) {
  WriteOrder order(10);
  const auto put = order.Add({"k"});
  const auto one = order.Add({"a"}, {"k"});
  const auto two = order.Add({"b", "k2"}, {"k"});
  const auto again = order.Add({"k"}, {"k"});
  const auto three = order.Add({"c"}, {"k"});
  EXPECT_THAT(order.TakeReady(), ElementsAre(put));
  order.Done(put);
  EXPECT_THAT(order.TakeReady(), ElementsAre(one, two));
  order.Done(two);
  EXPECT_THAT(order.TakeReady(), IsEmpty());
  order.Done(one);
  EXPECT_THAT(order.TakeReady(), ElementsAre(again));
  order.Done(again);
  EXPECT_THAT(order.TakeReady(), ElementsAre(three));
}

TEST(WriteOrderTest, EveryKeySeesItsTransactionsInOrderAndAllOfThemRun) {
  struct Keys {
    std::set<std::string> written;
    std::set<std::string> looked_at;
  };
  std::mt19937 random(11);
  WriteOrder order(8);
  std::map<WriteOrder::Ticket, Keys> keys_of;
  std::map<std::string, WriteOrder::Ticket> last_written;
  std::map<std::string, WriteOrder::Ticket> last_used;
  std::multiset<std::string> written;
  std::multiset<std::string> looked_at;
  std::vector<WriteOrder::Ticket> running;
  size_t done = 0;
  size_t together = 0;
  const auto some_keys = [&random](size_t most) {
    std::set<std::string> keys;
    for (size_t i = random() % (most + 1); i > 0; --i)
      keys.insert(std::string(1, static_cast<char>('a' + random() % 12)));
    return keys;
  };
  for (int step = 0; step < 4000 || done < keys_of.size(); ++step) {
    if (step < 4000 && random() % 3 != 0) {
      const Keys keys{some_keys(2), some_keys(2)};
      keys_of[order.Add(keys.written, keys.looked_at)] = keys;
    }
    for (const WriteOrder::Ticket ticket : order.TakeReady()) {
      running.push_back(ticket);
      Keys& keys = keys_of.at(ticket);
      for (const std::string& key : keys.written) {
        keys.looked_at.erase(key);
        EXPECT_FALSE(written.contains(key) || looked_at.contains(key)) << "one writes what another uses";
        EXPECT_LT(last_used[key], ticket) << "out of order";
        last_written[key] = last_used[key] = ticket;
        written.insert(key);
      }
      for (const std::string& key : keys.looked_at) {
        EXPECT_FALSE(written.contains(key)) << "one looks at what another writes";
        EXPECT_LT(last_written[key], ticket) << "out of order";
        last_used[key] = std::max(last_used[key], ticket);
        if (looked_at.contains(key)) ++together;
        looked_at.insert(key);
      }
    }
    ASSERT_LE(running.size(), 8u);
    if (running.empty() || (step < 4000 && random() % 2 == 0)) continue;
    const size_t one = random() % running.size();
    const Keys& keys = keys_of.at(running[one]);
    for (const std::string& key : keys.written) written.erase(written.find(key));
    for (const std::string& key : keys.looked_at) looked_at.erase(looked_at.find(key));
    order.Done(running[one]);
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(one));
    ++done;
  }
  EXPECT_EQ(order.queued(), 0u);
  EXPECT_GT(together, 100u);
}

}  // namespace
}  // namespace updraft::store
