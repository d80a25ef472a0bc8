// Kinds that are not only stored: pods, events, domain claims, the configuration.
#include <gtest/gtest.h>

#include <string>

#include "core/api/meta.h"
#include "tests/integration/api/api_fixture.h"

namespace updraft::controller {
namespace {

TEST_F(ApiTest, PodsAreEvictedAndGoWithTheirInstances) {
  const auto pod = [this](const std::string& name) {
    platform_.Store(
        "v1", "Pod",
        {{"metadata", {{"name", name}, {"namespace", "default"}, {"uid", name + "-uid"}}},
         {"spec", {{"terminationGracePeriodSeconds", 5}}}});
  };
  const std::string pods = "/api/v1/namespaces/default/pods";
  pod("a");
  Json eviction = {{"apiVersion", "policy/v1"},
                   {"kind", "Eviction"},
                   {"metadata", {{"name", "a"}, {"namespace", "default"}}},
                   {"deleteOptions", {{"preconditions", {{"uid", "b-uid"}}}}}};
  EXPECT_EQ(Post(pods + "/a/eviction", eviction).status, 409);
  eviction["deleteOptions"] = {{"dryRun", {"All"}}};
  EXPECT_EQ(Post(pods + "/a/eviction", eviction).status, 201);
  EXPECT_EQ(GetAs(pods + "/a").status, 200);
  eviction.erase("deleteOptions");
  const Reply evicted = Post(pods + "/a/eviction", eviction);
  EXPECT_EQ(evicted.status, 201);
  EXPECT_EQ(evicted.json()["status"], "Success");
  EXPECT_EQ(GetAs(pods + "/a").status, 404);
  EXPECT_EQ(Post(pods + "/a/eviction", eviction).status, 404);
  EXPECT_EQ(Post(pods + "/b/eviction", eviction).status, 400);

  pod("b");
  const Json leaving = DeleteIt(pods + "/b").json();
  EXPECT_TRUE(api::IsBeingDeleted(leaving));
  EXPECT_EQ(leaving["metadata"]["deletionGracePeriodSeconds"], 5);
  EXPECT_EQ(GetAs(pods + "/b").status, 404);
}

TEST_F(ApiTest, EventsHaveTwoNames) {
  const Json event = {{"apiVersion", "events.k8s.io/v1"},
                      {"kind", "Event"},
                      {"metadata", {{"name", "e1"}}},
                      {"regarding", {{"kind", "Pod"}, {"name", "p"}, {"namespace", "default"}}},
                      {"note", "so it was"},
                      {"reason", "Seen"},
                      {"type", "Normal"},
                      {"reportingController", "me"}};
  const std::string shown = "/apis/events.k8s.io/v1/namespaces/default/events";
  const std::string stored = "/api/v1/namespaces/default/events";
  const Reply created = Post(shown, event);
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.json()["note"], "so it was");
  EXPECT_EQ(created.json()["apiVersion"], "events.k8s.io/v1");
  const Json core = GetAs(stored + "/e1").json();
  EXPECT_EQ(core["message"], "so it was");
  EXPECT_EQ(core["involvedObject"]["name"], "p");
  EXPECT_EQ(core["reportingComponent"], "me");
  EXPECT_EQ(GetAs(shown + "?fieldSelector=regarding.name=p,type=Normal").json()["items"][0]["note"],
            "so it was");
  EXPECT_EQ(GetAs(shown + "?fieldSelector=regarding.name=q").json()["items"].size(), 0U);
  EXPECT_EQ(Patch(shown + "/e1", {{"note", "and is"}}).json()["note"], "and is");
  WatchClient watch(platform_.port(), shown + "?watch=true");
  EXPECT_EQ(watch.Next()["object"]["note"], "and is");
  EXPECT_EQ(DeleteIt(shown + "/e1").status, 200);
  EXPECT_EQ(GetAs(stored + "/e1").status, 404);
}

TEST_F(ApiTest, DomainClaims) {
  const std::string claims = "/apis/networking.internal.knative.dev/v1alpha1/clusterdomainclaims";
  Json claim = {{"apiVersion", "networking.internal.knative.dev/v1alpha1"},
                {"kind", "ClusterDomainClaim"},
                {"metadata", {{"name", "example.com"}}}};
  EXPECT_EQ(Post(claims, claim).status, 422);
  claim["spec"] = {{"namespace", "default"}};
  EXPECT_EQ(Post(claims, claim).status, 201);
  EXPECT_EQ(GetAs(claims + "/example.com").json()["spec"]["namespace"], "default");
  EXPECT_EQ(DeleteIt(claims + "/example.com").status, 200);
}

TEST_F(ApiTest, ConfigurationIsReadLiveAndRefusedWhenWrong) {
  const std::string map = "/api/v1/namespaces/knative-serving/configmaps/config-defaults";
  const auto set = [&](const char* seconds) {
    return Patch(map, {{"data", {{"revision-timeout-seconds", seconds}}}});
  };
  const Reply refused = set("x");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Message(refused),
            "admission webhook \"config.webhook.serving.knative.dev\" denied the request: "
            "validation failed: failed to parse "
            "\"revision-timeout-seconds\": strconv.ParseInt: parsing \"x\": invalid syntax");
  EXPECT_EQ(set("77").status, 200);
  EXPECT_EQ(Post(kServices, Service("hello")).json()["spec"]["template"]["spec"]["timeoutSeconds"],
            77);
  // Deleted, it means the defaults; a new one is judged like the old.
  EXPECT_EQ(DeleteIt(map).status, 200);
  EXPECT_EQ(Post(kServices, Service("other")).json()["spec"]["template"]["spec"]["timeoutSeconds"],
            300);
}

}  // namespace
}  // namespace updraft::controller
