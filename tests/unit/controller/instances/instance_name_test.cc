#include "controller/instances/instance_name.h"

#include <gtest/gtest.h>

#include <set>

#include "core/api/names.h"

namespace updraft::controller {
namespace {

TEST(NewInstanceName, IsTheRevisionsDeploymentWithTenCharacters) {
  const std::string name =
      NewInstanceName("hello-00001", [] { return uint64_t{0x123456789abcdef}; });
  EXPECT_TRUE(name.starts_with("hello-00001-deployment-")) << name;
  EXPECT_EQ(name.size(), std::string("hello-00001-deployment-").size() + 10);
}

TEST(NewInstanceName, StaysALabelHoweverLongTheRevision) {
  for (size_t length = 1; length <= 63; ++length) {
    const std::string name = NewInstanceName(std::string(length, 'r'), [] { return ~uint64_t{0}; });
    EXPECT_LE(name.size(), 63U);
    EXPECT_TRUE(api::CheckDns1123Label(name).empty()) << name;
  }
}

TEST(NewInstanceName, DiffersWithTheRandomSource) {
  uint64_t state = 1;
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    names.insert(NewInstanceName(std::string(63, 'r'),
                                 [&state] { return state = state * 6364136223846793005U + 1; }));
  }
  EXPECT_EQ(names.size(), 1000U);
}

}  // namespace
}  // namespace updraft::controller
