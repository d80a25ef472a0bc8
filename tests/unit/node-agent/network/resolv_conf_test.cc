#include "node-agent/network/resolv_conf.h"

#include <gtest/gtest.h>

namespace updraft::node_agent {
namespace {

TEST(ResolvConfTest, KeepsWhatInstancesCanReach) {
  EXPECT_EQ(
      ResolvConf(
          "# c\nnameserver 127.0.0.53\nnameserver 10.0.0.1\nsearch a.example\noptions edns0\n", ""),
      "nameserver 10.0.0.1\nsearch a.example\noptions edns0\n");
}

TEST(ResolvConfTest, TakesResolvedsUpstreamInsteadOfItsStub) {
  EXPECT_EQ(ResolvConf("nameserver 127.0.0.53\n", "nameserver 192.0.2.1\nsearch b\n"),
            "nameserver 192.0.2.1\nsearch b\n");
}

TEST(ResolvConfTest, WithoutAnyOtherTheMachinesOwnStays) {
  EXPECT_EQ(ResolvConf("nameserver ::1\n", "nameserver 127.0.0.1\n"), "nameserver ::1\n");
  EXPECT_EQ(ResolvConf("", ""), "");
}

TEST(ResolvConfTest, ServicesHaveNamesInTheirNamespaceAndBeyond) {
  EXPECT_EQ(WithServiceNames("nameserver 10.0.0.1\nsearch a.example b\noptions edns0\n", "10.89.0.1", "shop"),
            "search shop.svc.cluster.local svc.cluster.local cluster.local a.example b\n"
            "nameserver 10.89.0.1\nnameserver 10.0.0.1\noptions edns0\n");
  EXPECT_EQ(WithServiceNames("", "10.89.0.1", "shop"),
            "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.89.0.1\n");
}

}  // namespace
}  // namespace updraft::node_agent
