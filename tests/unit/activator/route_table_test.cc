#include "activator/routing/route_table.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <map>
#include <thread>
#include <vector>

#include "activator/inside/dns_answer.h"
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

// A route that changes before a hundred requests have passed goes on where it was: it is still split by percent, over
// several threads too.
TEST(RouteTableTest, AHundredThousandRequestsAreSplitByPercentThoughTheRouteChangesAllTheTime) {
  constexpr int kThreads = 4;
  constexpr int kChanges = 25'000;
  constexpr int kEach = 1;  // requests of a thread between two changes
  RoutingState state(kThreads);
  std::array<std::atomic<int>, 2> counts{};
  std::shared_ptr<const RouteTable> table;
  std::barrier changed(kThreads, [&, change = 0]() mutable noexcept {
    RoutingUpdate update = Split({{"ns/a", 90}, {"ns/b", 10}});
    update.routes.front().https_only = ++change % 2 == 0;
    table = state.Apply(update, {}).table;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int change = 0; change < kChanges; ++change) {
        changed.arrive_and_wait();
        for (int k = 0; k < kEach; ++k) ++counts[table->Find("svc")->Choose()->key() == "ns/a" ? 0 : 1];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counts[0] + counts[1], 100'000);
  EXPECT_EQ(counts[0], 90'000);
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

// ---- names that instances ask for

const DnsZone kZone{.address = {10, 89, 0, 1},
                    .knows = [](std::string_view name) { return name == "app.ns.svc.cluster.local" || name == "app.ns"; }};

// A question as a resolver asks it, with a record of EDNS behind it.
std::string Query(const std::string& name, char type = 1) {
  std::string query("\x12\x34\x01\x20\0\x01\0\0\0\0\0\x01", 12);
  for (size_t at = 0; at < name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    query += static_cast<char>(end - at) + name.substr(at, end - at);
    at = end + 1;
  }
  query += std::string(2, '\0') + type + std::string("\0\x01", 2);
  return query + std::string("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
}
int VerdictOf(const std::optional<std::string>& answer) { return answer ? (*answer)[3] : -1; }

TEST(AnswerDnsTest, AServiceIsAtOurAddress) {
  const auto answer = AnswerDns(Query("App.ns.svc.cluster.local"), kZone);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->substr(0, 12), std::string("\x12\x34\x85\0\0\x01\0\x01\0\0\0\0", 12));
  EXPECT_EQ(answer->substr(answer->size() - 16),
            std::string("\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\x0a\x59\0\x01", 16));
  EXPECT_EQ(answer->substr(12, answer->size() - 28), Query("App.ns.svc.cluster.local").substr(12, 30));
}

TEST(AnswerDnsTest, OtherNamesOfTheZoneDoNotExistAndThoseOfOthersAreRefused) {
  EXPECT_EQ(VerdictOf(AnswerDns(Query("app.ns"), kZone)), 0);
  EXPECT_EQ(VerdictOf(AnswerDns(Query("none.ns.svc.cluster.local"), kZone)), 3);
  EXPECT_EQ(VerdictOf(AnswerDns(Query("cluster.local"), kZone)), 3);
  EXPECT_EQ(VerdictOf(AnswerDns(Query("notcluster.local"), kZone)), 5);
  EXPECT_EQ(VerdictOf(AnswerDns(Query("example.com"), kZone)), 5);
  EXPECT_EQ(VerdictOf(AnswerDns(Query(""), kZone)), 5);
}

TEST(AnswerDnsTest, ThereIsNoAddressOfIpv6) {
  const auto answer = AnswerDns(Query("app.ns.svc.cluster.local", 28), kZone);
  EXPECT_EQ(VerdictOf(answer), 0);
  EXPECT_EQ((*answer)[7], 0) << "no record";
}

TEST(AnswerDnsTest, WhatIsNoQueryIsNotAnsweredAndAWrongOneIsToldSo) {
  const std::string query = Query("app.ns");
  EXPECT_FALSE(AnswerDns(query.substr(0, 11), kZone));
  EXPECT_FALSE(AnswerDns("", kZone));
  for (size_t size = 12; size < 24; ++size) EXPECT_EQ(VerdictOf(AnswerDns(query.substr(0, size), kZone)), 1) << size;
  EXPECT_FALSE(AnswerDns(*AnswerDns(query, kZone), kZone)) << "an answer";
  std::string notify = query;
  notify[2] = 0x20;
  EXPECT_EQ(VerdictOf(AnswerDns(notify, kZone)), 4);
  std::string pointer = query;
  pointer[12] = static_cast<char>(0xc0);
  EXPECT_EQ(VerdictOf(AnswerDns(pointer, kZone)), 1);
}

}  // namespace
}  // namespace updraft::activator
