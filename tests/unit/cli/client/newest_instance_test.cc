#include "cli/client/newest_instance.h"

#include <gtest/gtest.h>

namespace updraft::cli {
namespace {

Json Pod(const std::string& name, const std::string& created, const std::string& state) {
  return {{"metadata", {{"name", name}, {"creationTimestamp", created}}},
          {"status", {{"containerStatuses", {{{"state", {{state, Json::object()}}}}}}}}};
}

TEST(NewestStartedTest, TheYoungestThatRuns) {
  const ObjectsByName pods = {{"a", Pod("a", "2026-01-01T00:00:01Z", "running")},
                              {"b", Pod("b", "2026-01-01T00:00:02Z", "terminated")},
                              {"c", Pod("c", "2026-01-01T00:00:03Z", "waiting")}};
  EXPECT_EQ(NewestStarted(pods, {})->name, "b");
  EXPECT_EQ(NewestStarted(pods, {"2026-01-01T00:00:02Z", "b"}), std::nullopt);
  EXPECT_EQ(NewestStarted(pods, {"2026-01-01T00:00:01Z", "a"})->name, "b");
  EXPECT_EQ(NewestStarted({}, {}), std::nullopt);
}

}  // namespace
}  // namespace updraft::cli
