// Watches, event by event, and what clients watch, as recorded.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "tests/integration/api/api_fixture.h"

namespace updraft::controller {
namespace {

std::string Text(const Json& event) {
  if (event.is_null()) return "end";
  return api::StringAt(event, {"type"}) + " " +
         api::StringAt(event, {"object", "metadata", "name"});
}

TEST_F(ApiTest, WatchesReplayFromAVersion) {
  Post(kServices, Service("a"));
  const std::string version = Version();
  Post(kServices, Service("b"));
  Patch(std::string(kServices) + "/a", {{"metadata", {{"labels", {{"x", "y"}}}}}});
  WatchClient watch(platform_.port(),
                    std::string(kServices) + "?watch=true&resourceVersion=" + version);
  EXPECT_EQ(watch.status(), 200);
  EXPECT_EQ(Text(watch.Next()), "ADDED b");
  EXPECT_EQ(Text(watch.Next()), "MODIFIED a");
  DeleteIt(std::string(kServices) + "/b");
  const Json deleted = watch.Next();
  EXPECT_EQ(Text(deleted), "DELETED b");
  EXPECT_EQ(api::ResourceVersionOf(deleted["object"]), Version());
}

TEST_F(ApiTest, WatchesWithoutAVersionBeginWithWhatThereIs) {
  Post(kServices, Service("a"));
  WatchClient watch(platform_.port(), std::string(kServices) + "?watch=1&timeoutSeconds=1");
  EXPECT_EQ(Text(watch.Next()), "ADDED a");
  EXPECT_EQ(Text(watch.Next()), "end");
}

TEST_F(ApiTest, WatchListsEndTheirBeginningWithABookmark) {
  Post(kServices, Service("a"));
  WatchClient watch(platform_.port(), std::string(kServices) +
                                          "?watch=true&sendInitialEvents=true&resourceVersionMatch="
                                          "NotOlderThan&allowWatchBookmarks=true");
  EXPECT_EQ(Text(watch.Next()), "ADDED a");
  const Json bookmark = watch.Next();
  EXPECT_EQ(bookmark["type"], "BOOKMARK");
  EXPECT_EQ(api::AnnotationOf(bookmark["object"], "k8s.io/initial-events-end"), "true");
  EXPECT_EQ(bookmark["object"]["kind"], "Service");
  EXPECT_EQ(api::ResourceVersionOf(bookmark["object"]), Version());
  Post(kServices, Service("b"));
  EXPECT_EQ(Text(watch.Next()), "ADDED b");
  EXPECT_EQ(GetAs(std::string(kServices) + "?watch=true&sendInitialEvents=true").status, 422);
}

TEST_F(ApiTest, WatchesWithSelectorsSeeObjectsComeAndGo) {
  Json labelled = Service("a");
  labelled["metadata"]["labels"] = {{"app", "x"}};
  const std::string version = Version();
  Post(kServices, labelled);
  Post(kServices, Service("b"));
  WatchClient watch(
      platform_.port(),
      std::string(kServices) + "?watch=true&labelSelector=app=x&resourceVersion=" + version);
  EXPECT_EQ(Text(watch.Next()), "ADDED a");
  Patch(std::string(kServices) + "/a", {{"metadata", {{"labels", {{"app", "y"}}}}}});
  EXPECT_EQ(Text(watch.Next()), "DELETED a");
  Patch(std::string(kServices) + "/b", {{"metadata", {{"labels", {{"app", "x"}}}}}});
  EXPECT_EQ(Text(watch.Next()), "ADDED b");
  DeleteIt(std::string(kServices) + "/b");
  EXPECT_EQ(Text(watch.Next()), "DELETED b");
}

TEST_F(ApiTest, WatchesAsTableTellTheColumnsOnce) {
  Post(kServices, Service("a"));
  WatchClient watch(platform_.port(), std::string(kServices) + "?watch=true",
                    "application/json;as=Table;v=v1;g=meta.k8s.io");
  const Json first = watch.Next();
  EXPECT_EQ(first["object"]["kind"], "Table");
  EXPECT_EQ(first["object"]["columnDefinitions"].size(), 6U);
  EXPECT_EQ(first["object"]["rows"][0]["cells"][0], "a");
  Post(kServices, Service("b"));
  EXPECT_EQ(watch.Next()["object"]["columnDefinitions"].size(), 0U);
}

TEST_F(ApiTest, WatchesOfAllNamespaces) {
  Post("/api/v1/namespaces",
       {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "team"}}}});
  WatchClient watch(platform_.port(), "/apis/serving.knative.dev/v1/services?watch=true");
  Post("/apis/serving.knative.dev/v1/namespaces/team/services", Service("t"));
  EXPECT_EQ(Text(watch.Next()), "ADDED t");
  Post(kServices, Service("d"));
  EXPECT_EQ(Text(watch.Next()), "ADDED d");
}

TEST_F(ApiTest, ClientsThatLeaveLeaveNoWatchBehind) {
  {
    WatchClient watch(platform_.port(), std::string(kMaps) + "?watch=true&resourceVersion=0");
    Post(kMaps, Map("a"));
    EXPECT_EQ(Text(watch.Next()), "ADDED a");
  }
  // The server sees the end of the connection at the latest with its next write.
  Post(kMaps, Map("b"));
  EXPECT_EQ(GetAs(kMaps).json()["items"].size(), 2U);
}

TEST_F(ApiTest, ManyWatchersSeeTheSame) {
  std::vector<std::unique_ptr<WatchClient>> watches;
  for (int i = 0; i < 50; ++i)
    watches.push_back(
        std::make_unique<WatchClient>(platform_.port(), std::string(kMaps) + "?watch=true"));
  for (int i = 0; i < 20; ++i) Post(kMaps, Map("m" + std::to_string(i)));
  for (const auto& watch : watches) {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(Text(watch->Next()), "ADDED m" + std::to_string(i));
  }
}

// ---- what clients send, as recorded

// kn 1.15: service create, and service delete --wait.
TEST_F(ApiTest, AsKnCreatesWaitsAndDeletes) {
  const auto as_kn = [this](const std::string& path) {
    return Send(platform_, "GET", path, "",
                {{"Accept", "application/json, */*"}, {"User-Agent", "kn/v1.15.0"}});
  };
  const std::string target = std::string(kServices) + "/hello";
  EXPECT_EQ(Reason(as_kn(target)), "NotFound");
  EXPECT_EQ(Post(kServices, Service("hello")).status, 201);
  const Json created = as_kn(target).json();
  const std::string selection =
      std::string(kServices) +
      "?fieldSelector=metadata.name%3Dhello&resourceVersion=" + api::ResourceVersionOf(created);
  WatchClient watch(platform_.port(), selection + "&timeout=10m30s&timeoutSeconds=630&watch=true",
                    "application/json, */*");
  Post(kServices, Service("other"));
  Json reconciled = created;
  reconciled["status"] = {{"observedGeneration", api::GenerationOf(created)},
                          {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}};
  platform_.Store("serving.knative.dev/v1", "Service", reconciled);
  const Json event = watch.Next();
  EXPECT_EQ(Text(event), "MODIFIED hello");
  EXPECT_EQ(api::ObservedGenerationOf(event["object"]), api::GenerationOf(event["object"]));

  // An update that somebody was faster with: read again, write again.
  Json changed = created;
  changed["spec"]["template"]["spec"]["timeoutSeconds"] = 20;
  EXPECT_EQ(Reason(Put(target, changed)), "Conflict");
  changed["metadata"]["resourceVersion"] = api::ResourceVersionOf(as_kn(target).json());
  EXPECT_EQ(Put(target, changed).status, 200);
  EXPECT_EQ(Text(watch.Next()), "MODIFIED hello");

  EXPECT_EQ(DeleteIt(target, {{"propagationPolicy", "Foreground"}}).status, 200);
  const Json marked = watch.Next();
  EXPECT_EQ(Text(marked), "MODIFIED hello");
  EXPECT_TRUE(api::IsBeingDeleted(marked["object"]));
  Patch(target, {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(Text(watch.Next()), "DELETED hello");
}

// client-go 0.35's reflector: one request lists and watches.
TEST_F(ApiTest, AsClientGoWatchesAList) {
  Post(kServices, Service("a"));
  const std::string watch_list =
      "?allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true"
      "&timeoutSeconds=453&watch=true";
  WatchClient watch(platform_.port(), kServices + watch_list,
                    "application/vnd.kubernetes.protobuf;q=0.9,application/json");
  EXPECT_EQ(Text(watch.Next()), "ADDED a");
  const Json bookmark = watch.Next();
  EXPECT_EQ(api::AnnotationOf(bookmark["object"], "k8s.io/initial-events-end"), "true");
  // It comes back later from where it was, and again with everything where that is too long ago.
  const std::string version = api::ResourceVersionOf(bookmark["object"]);
  Post(kServices, Service("b"));
  WatchClient again(platform_.port(), kServices + watch_list + "&resourceVersion=" + version);
  EXPECT_EQ(Text(again.Next()), "ADDED a");
  EXPECT_EQ(Text(again.Next()), "ADDED b");
  EXPECT_EQ(again.Next()["type"], "BOOKMARK");
  WatchClient from(platform_.port(), std::string(kServices) +
                                         "?allowWatchBookmarks=true&timeoutSeconds=453&watch=true"
                                         "&resourceVersion=" +
                                         version);
  EXPECT_EQ(Text(from.Next()), "ADDED b");
}

}  // namespace
}  // namespace updraft::controller
