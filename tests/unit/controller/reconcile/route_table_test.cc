#include "controller/reconcile/route_table.h"

#include <gtest/gtest.h>

#include "controller/reconcile/host_rules.h"
#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

Json RouteToHello() {
  Json route = RouteObject();
  route["status"] = {{"url", "http://hello.default.localhost:8080"},
                     {"traffic",
                      {{{"revisionName", "hello-00001"}, {"percent", 90}},
                       {{"revisionName", "hello-00002"},
                        {"percent", 10},
                        {"tag", "next"},
                        {"url", "http://next-hello.default.localhost:8080"}}}}};
  return route;
}

TEST(RouteTableTest, TellsHostsAndSplits) {
  const v1::Route route = BuildRoute(RouteToHello(), {});
  EXPECT_EQ(route.key(), "default/hello");
  ASSERT_EQ(route.hosts_size(), 8);
  EXPECT_EQ(route.hosts(0).host(), "hello.default.localhost");
  EXPECT_FALSE(route.hosts(0).cluster_local());
  ASSERT_EQ(route.hosts(0).splits_size(), 2);
  EXPECT_EQ(route.hosts(0).splits(0).revision(), "default/hello-00001");
  EXPECT_EQ(route.hosts(0).splits(0).percent(), 90u);
  EXPECT_EQ(route.hosts(4).host(), "next-hello.default.localhost");
  EXPECT_EQ(route.hosts(4).tag(), "next");
  EXPECT_EQ(route.hosts(4).splits(0).percent(), 100u);
  EXPECT_TRUE(route.hosts(7).cluster_local());
}

TEST(RouteTableTest, TheFingerprintIsThatOfTheRules) {
  const Json route = RouteToHello();
  EXPECT_EQ(RouteFingerprint(BuildRoute(route, {})),
            Fingerprint("default", HostRulesOf(route, {})));
  Json shifted = route;
  shifted["status"]["traffic"][0]["percent"] = 80;
  shifted["status"]["traffic"][1]["percent"] = 20;
  EXPECT_NE(RouteFingerprint(BuildRoute(shifted, {})), RouteFingerprint(BuildRoute(route, {})));
}

TEST(RouteTableTest, ARouteWithoutTrafficHasNoHosts) {
  EXPECT_EQ(BuildRoute(RouteObject(), {}).hosts_size(), 0);
}

}  // namespace
}  // namespace updraft::controller
