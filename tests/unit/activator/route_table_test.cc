#include "activator/routing/route_table.h"

#include <gtest/gtest.h>

#include <map>

#include "activator/routing/routing_state.h"

namespace updraft::activator {
namespace {

RoutingUpdate Split(std::vector<SplitUpdate> splits) {
  return {.routes = {{.key = "ns/svc", .hosts = {{.host = "svc", .splits = std::move(splits)}}}}};
}

std::map<std::string, int> Choices(const RouteTable& table, int requests) {
  std::map<std::string, int> counts;
  for (int i = 0; i < requests; ++i) ++counts[table.Find("svc")->Choose()->key()];
  return counts;
}

TEST(RouteTableTest, AHundredRequestsAreSplitExactly) {
  RoutingState state(1);
  const auto table = state.Apply(Split({{"ns/a", 1}, {"ns/b", 90}, {"ns/c", 0}, {"ns/d", 9}}), {}).table;
  const std::map<std::string, int> want = {{"ns/a", 1}, {"ns/b", 90}, {"ns/d", 9}};
  for (int hundred = 0; hundred < 3; ++hundred) EXPECT_EQ(Choices(*table, 100), want);
}

TEST(RouteTableTest, ASplitIsSpreadNotInBlocks) {
  RoutingState state(1);
  const auto table = state.Apply(Split({{"ns/a", 50}, {"ns/b", 50}}), {}).table;
  int longest = 0;
  int row = 0;
  std::string last;
  for (int i = 0; i < 100; ++i) {
    const std::string key = table->Find("svc")->Choose()->key();
    row = key == last ? row + 1 : 1;
    last = key;
    longest = std::max(longest, row);
  }
  EXPECT_LE(longest, 2);
}

TEST(RouteTableTest, TagsAreHostsOfTheirOwnAndFoundFromTheMainHost) {
  RoutingState state(1);
  const auto table =
      state
          .Apply({.routes = {{.key = "ns/svc",
                              .hosts = {{.host = "svc", .splits = {{"ns/a", 100}}},
                                        {.host = "Blue-svc", .splits = {{"ns/b", 100}}, .tag = "blue",
                                         .cluster_local = true}}}}},
                 {})
          .table;
  EXPECT_EQ(table->Find("blue-SVC:80")->Choose()->key(), "ns/b");
  EXPECT_TRUE(table->Find("blue-svc")->cluster_local);
  EXPECT_EQ(table->Find("svc")->route->FindTag("blue")->Choose()->key(), "ns/b");
  EXPECT_EQ(table->Find("svc")->route->FindTag("green"), nullptr);
  EXPECT_EQ(table->Find("other"), nullptr);
  EXPECT_EQ(table->Find(""), nullptr);
}

TEST(RouteTableTest, AHostWithoutTrafficHasNoChoice) {
  RoutingState state(1);
  const auto table = state.Apply(Split({{"ns/a", 0}}), {}).table;
  EXPECT_EQ(table->Find("svc")->Choose(), nullptr);
}

}  // namespace
}  // namespace updraft::activator
