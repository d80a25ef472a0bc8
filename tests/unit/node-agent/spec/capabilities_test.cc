#include "node-agent/spec/capabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace updraft::node_agent {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::vector<std::string> kAvailable = {"CAP_CHOWN", "CAP_NET_ADMIN"};

TEST(CapabilitiesTest, NothingAskedForIsContainerdsDefault) {
  const auto granted = GrantedCapabilities({}, kAvailable);
  EXPECT_THAT(*granted, SizeIs(14));
  EXPECT_THAT(*granted, Contains("CAP_NET_BIND_SERVICE"));
  EXPECT_THAT(*granted, Not(Contains("CAP_SYS_ADMIN")));
}

TEST(CapabilitiesTest, NamesAreTakenWithAndWithoutPrefixInAnyCase) {
  const auto granted = GrantedCapabilities({.add = {"net_admin"}, .drop = {"CAP_CHOWN", "KILL"}}, kAvailable);
  EXPECT_THAT(*granted, Contains("CAP_NET_ADMIN"));
  EXPECT_THAT(*granted, Not(Contains("CAP_CHOWN")));
  EXPECT_THAT(*granted, Not(Contains("CAP_KILL")));
}

TEST(CapabilitiesTest, DropAllLeavesWhatIsAdded) {
  EXPECT_THAT(*GrantedCapabilities({.add = {}, .drop = {"ALL"}}, kAvailable), IsEmpty());
  EXPECT_THAT(*GrantedCapabilities({.add = {"NET_BIND_SERVICE"}, .drop = {"ALL"}}, kAvailable),
              ElementsAre("CAP_NET_BIND_SERVICE"));
}

TEST(CapabilitiesTest, AddAllIsWhatTheMachineHas) {
  EXPECT_THAT(*GrantedCapabilities({.add = {"ALL"}, .drop = {}}, kAvailable), ElementsAre("CAP_CHOWN", "CAP_NET_ADMIN"));
}

TEST(CapabilitiesTest, AnUnknownNameIsRefused) {
  const auto granted = GrantedCapabilities({.add = {"FLY"}, .drop = {}}, kAvailable);
  ASSERT_FALSE(granted);
  EXPECT_EQ(granted.error().code, Code::kInvalidArgument);
  EXPECT_EQ(granted.error().message, "unknown capability \"CAP_FLY\"");
}

TEST(CapabilitiesTest, BitsHaveTheKernelsNames) {
  EXPECT_THAT(CapabilitiesOf(1u << 0 | 1u << 24), ElementsAre("CAP_CHOWN", "CAP_SYS_RESOURCE"));
  EXPECT_THAT(CapabilitiesOf(0x1ffffffffff), SizeIs(41));
}

}  // namespace
}  // namespace updraft::node_agent
