#include "cli/client/watch.h"

#include <gmock/gmock.h>

#include "tests/unit/cli/client/fake_api.h"

namespace updraft::cli {
namespace {

const std::string kNodes = "/api/v1/nodes";

Json Node(const std::string& name, int x = 0) { return {{"metadata", {{"name", name}}}, {"x", x}}; }

TEST(ApplyWatchEventTest, Types) {
  ObjectsByName objects;
  EXPECT_TRUE(ApplyWatchEvent({{"type", "ADDED"}, {"object", Node("a")}}, objects));
  EXPECT_TRUE(ApplyWatchEvent({{"type", "MODIFIED"}, {"object", Node("a", 7)}}, objects));
  EXPECT_EQ(objects["/a"]["x"], 7);
  EXPECT_TRUE(ApplyWatchEvent({{"type", "BOOKMARK"}, {"object", Node("")}}, objects));
  EXPECT_EQ(objects.size(), 1U);
  EXPECT_TRUE(ApplyWatchEvent({{"type", "DELETED"}, {"object", Node("a")}}, objects));
  EXPECT_TRUE(objects.empty());
  EXPECT_FALSE(ApplyWatchEvent({{"type", "ERROR"}, {"object", {{"code", 410}}}}, objects));
}

TEST(WatchObjectsTest, SeesWhatIsThereAndWhatComes) {
  FakeApi api;
  TestSession test(api);
  api.Put(kNodes + "/a", Node("a"));
  api.OnWatch([](FakeApi& server) { server.Store(kNodes + "/b", Node("b")); });
  std::vector<size_t> sizes;
  const Result<bool> seen = WatchObjects(
      test.client,
      {.path = kNodes, .deadline = RealClock().Now() + Seconds(10), .tick = Seconds(10)},
      [&](const ObjectsByName& objects) {
        sizes.push_back(objects.size());
        return objects.size() < 2;
      });
  ASSERT_TRUE(seen);
  EXPECT_TRUE(*seen);
  EXPECT_EQ(sizes.front(), 1U);
  EXPECT_EQ(sizes.back(), 2U);
}

TEST(WatchObjectsTest, ListsAnewWhenTheServerHasForgotten) {
  FakeApi api;
  TestSession test(api);
  api.Put(kNodes + "/a", Node("a"));
  api.Script("GET " + kNodes, 200, R"({"metadata":{"resourceVersion":"1"},"items":[]})");
  api.Script("WATCH " + kNodes, 200,
             R"({"type":"ERROR","object":{"kind":"Status","code":410}})"
             "\n");
  const Result<bool> seen =
      WatchObjects(test.client, {.path = kNodes, .deadline = RealClock().Now() + Seconds(10)},
                   [](const ObjectsByName& objects) { return objects.empty(); });
  EXPECT_TRUE(seen && *seen);
  EXPECT_THAT(
      api.Requests(),
      testing::ElementsAre("GET " + kNodes, testing::HasSubstr("watch=true"), "GET " + kNodes));
}

TEST(WatchObjectsTest, EndsAtItsDeadline) {
  FakeApi api;
  TestSession test(api);
  const Result<bool> seen = WatchObjects(
      test.client, {.path = kNodes, .deadline = RealClock().Now() + Millis(30), .tick = Millis(10)},
      [](const ObjectsByName&) { return true; });
  ASSERT_TRUE(seen);
  EXPECT_FALSE(*seen);
}

TEST(WatchObjectsTest, TheFirstListingsErrorIsTheResult) {
  FakeApi api;
  TestSession test(api);
  api.Script("GET " + kNodes, 403, R"({"kind":"Status","message":"no"})");
  EXPECT_EQ(WatchObjects(test.client, {.path = kNodes}, [](const ObjectsByName&) { return true; })
                .error()
                .code,
            Code::kPermissionDenied);
}

}  // namespace
}  // namespace updraft::cli
