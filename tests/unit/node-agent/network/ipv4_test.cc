#include "node-agent/network/ipv4.h"

#include <gtest/gtest.h>

#include <set>

namespace updraft::node_agent {
namespace {

TEST(SubnetTest, KnowsItsEnds) {
  const auto subnet = ParseSubnet("10.89.0.0/16");
  ASSERT_TRUE(subnet);
  EXPECT_EQ(ToString(*subnet), "10.89.0.0/16");
  EXPECT_EQ(ToString(subnet->Gateway()), "10.89.0.1");
  EXPECT_EQ(ToString(subnet->Broadcast()), "10.89.255.255");
  EXPECT_TRUE(subnet->Contains(*ParseIpv4("10.89.7.7")));
  EXPECT_FALSE(subnet->Contains(*ParseIpv4("10.90.0.0")));
}

TEST(SubnetTest, RefusesWhatCannotBeUsed) {
  for (const char* text : {"", "10.89.0.0", "10.89.0.0/7", "10.89.0.0/30", "10.89.0.0/x",
                           "10.89.0.1/16", "10.89.0/16", "::/16", "10.89.0.0/16x"}) {
    EXPECT_FALSE(ParseSubnet(text)) << text;
  }
}

TEST(AddressPoolTest, GivesEveryAddressOnce) {
  AddressPool pool(*ParseSubnet("10.0.0.0/29"));
  EXPECT_EQ(pool.free_count(), 5U);
  std::set<std::string> given;
  for (int i = 0; i < 5; ++i) {
    const auto address = pool.Take();
    ASSERT_TRUE(address);
    given.insert(ToString(*address));
  }
  EXPECT_EQ(given,
            (std::set<std::string>{"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"}));
  const auto none = pool.Take();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kResourceExhausted);
}

TEST(AddressPoolTest, AFreedAddressRestsAsLongAsPossible) {
  AddressPool pool(*ParseSubnet("10.0.0.0/29"));
  const Ipv4 first = *pool.Take();
  pool.Free(first);
  EXPECT_NE(*pool.Take(), first);
  for (int i = 0; i < 3; ++i) EXPECT_NE(*pool.Take(), first);
  EXPECT_EQ(*pool.Take(), first);
}

TEST(AddressPoolTest, MarksWhatExists) {
  AddressPool pool(*ParseSubnet("10.0.0.0/29"));
  EXPECT_TRUE(pool.Mark(*ParseIpv4("10.0.0.2")));
  EXPECT_FALSE(pool.Mark(*ParseIpv4("10.0.0.2")));
  EXPECT_FALSE(pool.Mark(*ParseIpv4("10.0.0.1")));  // the gateway
  EXPECT_FALSE(pool.Mark(*ParseIpv4("10.0.0.7")));  // broadcast
  EXPECT_FALSE(pool.Mark(*ParseIpv4("10.1.0.2")));
  EXPECT_EQ(ToString(*pool.Take()), "10.0.0.3");
  pool.Free(*ParseIpv4("10.0.0.6"));  // was free
  EXPECT_EQ(pool.free_count(), 3U);
}

TEST(MacTest, FollowsTheAddress) {
  EXPECT_EQ(MacFor(*ParseIpv4("10.89.1.2")), (MacAddress{0x0a, 0x58, 10, 89, 1, 2}));
}

}  // namespace
}  // namespace updraft::node_agent
