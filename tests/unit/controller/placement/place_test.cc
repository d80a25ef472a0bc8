#include "controller/placement/place.h"

#include <gtest/gtest.h>

namespace updraft::controller {
namespace {

NodeView Empty(std::string name) {
  return {
      .name = std::move(name), .cpu_millis = 4000, .memory_bytes = 8LL << 30, .instances_max = 100};
}

TEST(Place, TakesTheNodeThatHasTheImage) {
  std::vector<NodeView> nodes = {Empty("a"), Empty("b")};
  nodes[1].has_image = true;
  EXPECT_EQ(Place({}, nodes).node, 1U);
}

TEST(Place, SpreadsARevisionEvenToNodesWithoutTheImage) {
  std::vector<NodeView> nodes = {Empty("a"), Empty("b")};
  nodes[0].has_image = true;
  std::vector<int64_t> counts = {0, 0};
  for (int i = 0; i < 6; ++i) {
    const Placement placement = Place({}, nodes);
    ASSERT_TRUE(placement.node);
    ++counts[*placement.node];
    ++nodes[*placement.node].instances_of_revision;
    ++nodes[*placement.node].instances;
  }
  EXPECT_EQ(counts[0], 4);
  EXPECT_EQ(counts[1], 2);
}

TEST(Place, TakesTheLessLoadedOfEquals) {
  std::vector<NodeView> nodes = {Empty("a"), Empty("b")};
  nodes[0].cpu_used_millis = 2000;
  EXPECT_EQ(Place({}, nodes).node, 1U);
}

TEST(Place, TiesGoToTheFirstName) {
  const std::vector<NodeView> nodes = {Empty("b"), Empty("a")};
  EXPECT_EQ(Place({}, nodes).node, 1U);
}

TEST(Place, FillsANodeToItsLastMilli) {
  std::vector<NodeView> nodes = {Empty("a")};
  nodes[0].cpu_used_millis = 3500;
  EXPECT_EQ(Place({.cpu_millis = 500}, nodes).node, 0U);
  EXPECT_FALSE(Place({.cpu_millis = 501}, nodes).node);
}

TEST(Place, WithoutRequestsOnlyTheCountLimits) {
  std::vector<NodeView> nodes = {Empty("a")};
  nodes[0].cpu_used_millis = 9000;  // more than there is: what others asked for
  EXPECT_TRUE(Place({}, nodes).node);
  nodes[0].instances = 100;
  EXPECT_EQ(Place({}, nodes).reason, "0/1 nodes are available: 1 Too many pods.");
}

TEST(Place, SaysWhyNoneFits) {
  EXPECT_EQ(Place({}, {}).reason, "no nodes available to schedule pods");
  std::vector<NodeView> nodes = {Empty("a"), Empty("b"), Empty("c"), Empty("d"), Empty("e")};
  nodes[0].cordoned = true;
  nodes[1].silent = true;
  nodes[2].disk_pressure = true;
  nodes[3].cpu_millis = 100;
  nodes[3].memory_bytes = 100;
  nodes[4].cpu_millis = 100;
  EXPECT_EQ(Place({.cpu_millis = 200, .memory_bytes = 200}, nodes).reason,
            "0/5 nodes are available: 2 Insufficient cpu, 1 Insufficient memory, 1 node(s) had "
            "disk pressure, "
            "1 node(s) were not ready, 1 node(s) were unschedulable.");
}

}  // namespace
}  // namespace updraft::controller
