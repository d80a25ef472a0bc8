#include "node-agent/network/egress_rules.h"

#include <gmock/gmock.h>

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(EgressRulesTest, NamesTheTableAfterTheBridge) {
  EXPECT_EQ(TableName("updraft0"), "updraft_updraft0");
  EXPECT_EQ(TableName("br-a.1"), "updraft_br_a_1");
}

TEST(EgressRulesTest, ReplacesTheTableInOneGo) {
  const std::string rules = EgressRules("b0", *ParseSubnet("10.1.0.0/16"), "0");
  EXPECT_THAT(rules, testing::StartsWith("table ip updraft_b0\ndelete table ip updraft_b0\n"));
  EXPECT_THAT(
      rules,
      HasSubstr("ip saddr 10.1.0.0/16 ip daddr != 10.1.0.0/16 oifname != \"b0\" masquerade"));
  EXPECT_EQ(RecordedIpForward(rules), "0");
  EXPECT_EQ(RecordedIpForward("table ip x {\n}\n"), "");
}

TEST(EgressRulesTest, FindsTheTablesOfOtherBridges) {
  const std::string tables =
      "table ip nat\ntable ip updraft_b0\ntable inet updraft_b2\ntable ip updraft_b1\n";
  EXPECT_THAT(OtherTables(tables, "b0"), ElementsAre("updraft_b1"));
  EXPECT_THAT(OtherTables("", "b0"), IsEmpty());
}

TEST(EgressRulesTest, SeesWhetherForwardingIsDropped) {
  const std::string drop =
      "table ip filter {\n\tchain FORWARD { # handle 2\n"
      "\t\ttype filter hook forward priority filter; policy drop;\n"
      "\t\tiifname \"b0\" counter packets 0 bytes 0 accept comment \"updraft b0\" # handle 7\n"
      "\t\toifname \"b0\" counter packets 0 bytes 0 accept comment \"updraft b0\" # handle 6\n"
      "\t\tiifname \"b01\" counter packets 0 bytes 0 accept comment \"updraft b01\" # handle "
      "5\n\t}\n}\n";
  const ForwardChain chain = ParseForwardChain(drop, "b0");
  EXPECT_TRUE(chain.drops);
  EXPECT_TRUE(chain.accepts);
  EXPECT_THAT(chain.our_rules, ElementsAre(7, 6));
  EXPECT_EQ(DeleteRules({7}), "delete rule ip filter FORWARD handle 7\n");
  EXPECT_FALSE(ParseForwardChain(drop, "b9").accepts);
  EXPECT_FALSE(
      ParseForwardChain("type filter hook forward priority filter; policy accept;", "b0").drops);
}

}  // namespace
}  // namespace updraft::node_agent
