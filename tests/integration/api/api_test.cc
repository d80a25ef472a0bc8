// The API server over loopback, request by request: verbs, errors, forms, watches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "tests/integration/api/raw_client.h"

namespace updraft::controller {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char kServices[] = "/apis/serving.knative.dev/v1/namespaces/default/services";
constexpr char kMaps[] = "/api/v1/namespaces/default/configmaps";

Json Service(const std::string& name) {
  Json service =
      Json::parse(R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{},
      "spec":{"template":{"spec":{"containers":[{"image":"example.com/hello"}]}}}})");
  service["metadata"]["name"] = name;
  return service;
}

Json Map(const std::string& name, const std::string& value = "1") {
  return Json{{"apiVersion", "v1"},
              {"kind", "ConfigMap"},
              {"metadata", {{"name", name}}},
              {"data", {{"a", value}}}};
}

class ApiTest : public testing::Test {
 protected:
  Reply Post(const std::string& target, const Json& body) {
    return Send(platform_, "POST", target, body.dump(), {{"Content-Type", "application/json"}});
  }
  Reply Put(const std::string& target, const Json& body) {
    return Send(platform_, "PUT", target, body.dump(), {{"Content-Type", "application/json"}});
  }
  Reply Patch(const std::string& target, const Json& body,
              const std::string& type = "application/merge-patch+json") {
    return Send(platform_, "PATCH", target, body.dump(), {{"Content-Type", type}});
  }
  Reply GetAs(const std::string& target, const std::string& accept = "application/json") {
    return Send(platform_, "GET", target, "", {{"Accept", accept}});
  }
  Reply DeleteIt(const std::string& target, const Json& options = nullptr) {
    return Send(platform_, "DELETE", target, options.is_null() ? "" : options.dump(),
                {{"Content-Type", "application/json"}});
  }
  std::string Reason(const Reply& reply) { return api::StringAt(reply.json(), {"reason"}); }
  std::string Message(const Reply& reply) { return api::StringAt(reply.json(), {"message"}); }
  std::string Version() { return GetAs(kServices).json()["metadata"]["resourceVersion"]; }

  ApiPlatform platform_;
};

TEST_F(ApiTest, CreatingSetsWhatTheServerDecides) {
  Json wished = Service("hello");
  wished["metadata"]["uid"] = "mine";
  wished["metadata"]["generation"] = 7;
  wished["metadata"]["creationTimestamp"] = nullptr;
  wished["status"] = {{"url", "http://mine"}};
  const Reply created = Post(kServices, wished);
  ASSERT_EQ(created.status, 201) << created.body;
  const Json object = created.json();
  EXPECT_EQ(api::GenerationOf(object), 1);
  EXPECT_EQ(api::UidOf(object).size(), 36U);
  EXPECT_EQ(api::NamespaceOf(object), "default");
  EXPECT_FALSE(object.contains("status"));
  EXPECT_TRUE(api::CreationTimeOf(object));
  EXPECT_FALSE(api::ResourceVersionOf(object).empty());
  EXPECT_EQ(GetAs(std::string(kServices) + "/hello").json(), object);

  const Reply again = Post(kServices, Service("hello"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(Reason(again), "AlreadyExists");
  EXPECT_EQ(Message(again), "services.serving.knative.dev \"hello\" already exists");
}

TEST_F(ApiTest, NamesAreGenerated) {
  Json wished = Service("x");
  wished["metadata"].erase("name");
  wished["metadata"]["generateName"] = "made-";
  const std::string first = api::NameOf(Post(kServices, wished).json());
  const std::string second = api::NameOf(Post(kServices, wished).json());
  EXPECT_THAT(first, StartsWith("made-"));
  EXPECT_EQ(first.size(), 10U);
  EXPECT_NE(first, second);
}

TEST_F(ApiTest, UpdatesNeedTheVersionThatIsStored) {
  const Json created = Post(kServices, Service("hello")).json();
  Json changed = created;
  changed["spec"]["template"]["spec"]["timeoutSeconds"] = 20;
  const std::string target = std::string(kServices) + "/hello";
  const Reply updated = Put(target, changed);
  ASSERT_EQ(updated.status, 200) << updated.body;
  EXPECT_EQ(api::GenerationOf(updated.json()), 2);
  const Reply conflict = Put(target, changed);
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(Reason(conflict), "Conflict");
  EXPECT_THAT(Message(conflict),
              HasSubstr("Operation cannot be fulfilled on services.serving.knative.dev \"hello\": "
                        "the object has been modified"));
  changed["metadata"].erase("resourceVersion");
  EXPECT_EQ(Put(target, changed).status, 422);
  changed = updated.json();
  changed["metadata"]["uid"] = "other";
  EXPECT_EQ(Put(target, changed).status, 409);
  EXPECT_EQ(Put(std::string(kServices) + "/none", Service("none")).status, 404);
  // Core kinds may be overwritten unseen.
  Post(kMaps, Map("m"));
  EXPECT_EQ(Put(std::string(kMaps) + "/m", Map("m", "2")).status, 200);
}

TEST_F(ApiTest, TheStatusIsWrittenApart) {
  Json object = Post(kServices, Service("hello")).json();
  object["status"] = {{"url", "http://x"}};
  object["spec"]["template"]["spec"]["timeoutSeconds"] = 20;
  object["metadata"]["labels"] = {{"a", "b"}};
  const std::string target = std::string(kServices) + "/hello";
  const Json after_status = Put(target + "/status", object).json();
  EXPECT_EQ(after_status["status"]["url"], "http://x");
  EXPECT_EQ(after_status["spec"]["template"]["spec"]["timeoutSeconds"], 300);
  EXPECT_EQ(api::LabelOf(after_status, "a"), "");
  EXPECT_EQ(api::GenerationOf(after_status), 1);
  const Json after_patch = Patch(target, {{"status", {{"url", "http://y"}}}}).json();
  EXPECT_EQ(after_patch["status"]["url"], "http://x");
  EXPECT_EQ(Patch(target + "/status", {{"status", {{"url", "http://z"}}}}).json()["status"]["url"],
            "http://z");
  EXPECT_EQ(GetAs(target + "/status").json()["status"]["url"], "http://z");
  EXPECT_EQ(DeleteIt(target + "/status").status, 405);
}

TEST_F(ApiTest, WritesThatChangeNothingStoreNothing) {
  const Json created = Post(kServices, Service("hello")).json();
  const std::string target = std::string(kServices) + "/hello";
  EXPECT_EQ(Put(target, created).json(), created);
  EXPECT_EQ(Patch(target, {{"metadata", {{"labels", nullptr}}}}).json(), created);
}

TEST_F(ApiTest, PatchTypes) {
  Post(kServices, Service("hello"));
  const std::string target = std::string(kServices) + "/hello";
  EXPECT_EQ(
      Patch(target, Json::parse(R"([{"op":"add","path":"/metadata/labels","value":{"a":"b"}}])"),
            "application/json-patch+json")
          .status,
      200);
  EXPECT_EQ(Patch(target, Json::parse(R"([{"op":"test","path":"/metadata/labels/a","value":"c"}])"),
                  "application/json-patch+json")
                .status,
            422);
  EXPECT_EQ(Patch(target, Json::object(), "application/strategic-merge-patch+json").status, 415);
  EXPECT_EQ(Patch(target, Json::object(), "text/plain").status, 415);
  EXPECT_EQ(Patch(target, Json::array()).status, 400);
  EXPECT_EQ(Patch(target, {{"spec", nullptr}}).status, 400);
  EXPECT_EQ(Patch(target, {{"metadata", {{"resourceVersion", "1"}}}}).status, 409);
  EXPECT_EQ(Patch(std::string(kServices) + "/none", Json::object()).status, 404);
  const std::string applied =
      "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: made}\nspec: {template: "
      "{spec: {containers: [{image: a/b}]}}}\n";
  EXPECT_EQ(
      Send(platform_, "PATCH", std::string(kServices) + "/made?fieldManager=kubectl&force=false",
           applied, {{"Content-Type", "application/apply-patch+yaml"}})
          .status,
      201);
  EXPECT_EQ(Send(platform_, "PATCH", std::string(kServices) + "/made?fieldManager=kubectl", applied,
                 {{"Content-Type", "application/apply-patch+yaml"}})
                .status,
            200);
}

// ---- server-side apply

std::string Owned(const Json& object, const std::string& manager) {
  for (const Json& entry : api::ArrayAt(object, {"metadata", "managedFields"})) {
    if (entry["manager"] == manager)
      return api::StringAt(entry, {"operation"}) + api::StringAt(entry, {"subresource"}) + " " +
             entry["fieldsV1"].dump();
  }
  return "";
}

TEST_F(ApiTest, ApplyKnowsWhoOwnsWhichField) {
  const std::string target = std::string(kMaps) + "/shared?fieldManager=";
  const auto apply = [&](const std::string& query, const std::string& data) {
    return Send(platform_, "PATCH", target + query,
                "apiVersion: v1\nkind: ConfigMap\ndata: " + data + "\n",
                {{"Content-Type", "application/apply-patch+yaml"}});
  };
  const Reply created = apply("a", "{x: '1', w: '1'}");
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(Owned(created.json(), "a"), R"(Apply {"f:data":{"f:w":{},"f:x":{}}})");
  EXPECT_EQ(apply("a", "{x: '1', w: '1'}").json(), created.json()) << "again: nothing is stored";

  const Reply conflict = apply("b", "{x: '2', w: '2', z: '1'}");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(Message(conflict),
            "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.w\n- .data.x");
  EXPECT_EQ(
      conflict.json()["details"].dump(),
      R"({"causes":[{"field":".data.w","message":"conflict with \"a\"","reason":"FieldManagerConflict"},)"
      R"({"field":".data.x","message":"conflict with \"a\"","reason":"FieldManagerConflict"}]})");
  EXPECT_EQ(Reason(conflict), "Conflict");
  EXPECT_EQ(apply("b&dryRun=All&force=true", "{x: '2'}").json()["data"]["x"], "2");
  EXPECT_EQ(apply("b&force=true", "{x: '2', z: '1'}").json()["data"].dump(),
            R"({"w":"1","x":"2","z":"1"})");
  EXPECT_EQ(apply("a", "{}").json()["data"].dump(), R"({"x":"2","z":"1"})");

  Reply patched =
      Patch(std::string(kMaps) + "/shared?fieldManager=editor", {{"data", {{"z", "3"}}}});
  EXPECT_EQ(Owned(patched.json(), "editor"), R"(Update {"f:data":{"f:z":{}}})");
  EXPECT_EQ(Owned(patched.json(), "b"), R"(Apply {"f:data":{"f:x":{}}})");
  EXPECT_EQ(Message(apply("b", "{z: '1'}")),
            "Apply failed with 1 conflict: conflict with \"editor\" using v1: .data.z");
}

TEST_F(ApiTest, StatusesAreAppliedApart) {
  Post(kServices, Service("hello"));
  const std::string target = std::string(kServices) + "/hello/status?fieldManager=";
  const auto apply = [&](const std::string& manager, const std::string& status) {
    return Send(platform_, "PATCH", target + manager,
                "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {labels: {a: b}}\n"
                "spec: {template: {spec: {timeoutSeconds: 3}}}\nstatus: " +
                    status + "\n",
                {{"Content-Type", "application/apply-patch+yaml"}});
  };
  const Json first = apply("a", "{url: 'http://x'}").json();
  EXPECT_EQ(first["status"]["url"], "http://x");
  EXPECT_EQ(first["spec"]["template"]["spec"]["timeoutSeconds"], 300);
  EXPECT_EQ(api::LabelOf(first, "a"), "");
  EXPECT_EQ(Owned(first, "a"), R"(Applystatus {"f:status":{"f:url":{}}})");
  EXPECT_EQ(Message(apply("b", "{url: 'http://y'}")),
            "Apply failed with 1 conflict: conflict with \"a\" with subresource \"status\": "
            ".status.url");
  EXPECT_EQ(apply("a", "{observedGeneration: 1}").json()["status"].dump(),
            R"({"observedGeneration":1})");
}

TEST_F(ApiTest, ApplySaysWhatItNeeds) {
  const std::string target = std::string(kMaps) + "/m";
  const auto apply = [&](const std::string& query, const std::string& more) {
    return Send(platform_, "PATCH", target + query, "apiVersion: v1\nkind: ConfigMap\n" + more,
                {{"Content-Type", "application/apply-patch+yaml"}});
  };
  EXPECT_EQ(
      Message(apply("", "")),
      "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for "
      "apply patch");
  EXPECT_EQ(apply("?fieldManager=" + std::string(200, 'x'), "").status, 422);
  EXPECT_EQ(apply("?fieldManager=a", "metadata: {uid: x}\n").status, 409);
  EXPECT_EQ(apply("?fieldManager=a", "metadata: {managedFields: [{manager: x}]}\n").status, 400);
  EXPECT_EQ(apply("?fieldManager=a&fieldValidation=Strict", "dataa: {}\n").status, 400);
  EXPECT_EQ(apply("?fieldManager=a", "metadata: {name: other}\n").status, 400);
  EXPECT_EQ(Patch(target + "?force=true", Json::object()).status, 422);
  EXPECT_EQ(apply("?fieldManager=a", "").status, 201);
}

TEST_F(ApiTest, FieldsOfOtherVerbsAndOfTheStatusAreTracked) {
  const std::string target = std::string(kServices) + "/hello";
  const Json created = Send(platform_, "POST", kServices, Service("hello").dump(),
                            {{"Content-Type", "application/json"}, {"User-Agent", "kn/v1.15 (x)"}})
                           .json();
  // What the webhook fills in is nobody's.
  EXPECT_EQ(
      Owned(created, "kn"),
      R"(Update {"f:spec":{".":{},"f:template":{".":{},"f:spec":{".":{},"f:containers":{}}}}})");
  Json written = created;
  written["status"] = {{"url", "http://x"}};
  written["metadata"].erase("managedFields");
  const Json status = Put(target + "/status?fieldManager=controller", written).json();
  EXPECT_EQ(Owned(status, "controller"), R"(Updatestatus {"f:status":{".":{},"f:url":{}}})");
  written = status;
  written["metadata"]["labels"] = {{"a", "b"}};
  const Json labelled = Put(target + "?fieldManager=me", written).json();
  EXPECT_EQ(Owned(labelled, "me"), R"(Update {"f:metadata":{"f:labels":{".":{},"f:a":{}}}})");
  // Ownership is handed over, and given up, by writing it; kubectl does so once for each object.
  Json patch = Json::parse(R"([{"op":"replace","path":"/metadata/managedFields","value":[{}]}])");
  EXPECT_FALSE(Patch(target, patch, "application/json-patch+json")
                   .json()["metadata"]
                   .contains("managedFields"));
  const Reply applied =
      Send(platform_, "PATCH", target + "?fieldManager=a",
           "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {labels: {a: c}}\n",
           {{"Content-Type", "application/apply-patch+yaml"}});
  EXPECT_EQ(Message(applied),
            "Apply failed with 1 conflict: conflict with \"before-first-apply\" using "
            "serving.knative.dev/v1: .metadata.labels.a");
}

TEST_F(ApiTest, DryRunsStoreNothing) {
  EXPECT_EQ(Post(std::string(kServices) + "?dryRun=All", Service("hello")).status, 201);
  EXPECT_EQ(GetAs(std::string(kServices) + "/hello").status, 404);
  Post(kServices, Service("hello"));
  EXPECT_EQ(Post(std::string(kServices) + "?dryRun=All", Service("hello")).status, 409);
  const std::string target = std::string(kServices) + "/hello?dryRun=All";
  EXPECT_EQ(
      Patch(target, {{"metadata", {{"labels", {{"a", "b"}}}}}}).json()["metadata"]["labels"]["a"],
      "b");
  EXPECT_EQ(DeleteIt(target).status, 200);
  const Json stored = GetAs(std::string(kServices) + "/hello").json();
  EXPECT_EQ(stored["kind"], "Service");
  EXPECT_EQ(api::LabelOf(stored, "a"), "");
}

TEST_F(ApiTest, UnknownFieldsByTheClientsWish) {
  Json typo = Service("hello");
  typo["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x";
  const Reply strict = Post(std::string(kServices) + "?fieldValidation=Strict", typo);
  EXPECT_EQ(strict.status, 400);
  EXPECT_EQ(Message(strict),
            "Service in version \"v1\" cannot be handled as a Service: strict decoding error: "
            "unknown field \"spec.template.spec.containers[0].imagee\"");
  EXPECT_EQ(GetAs(std::string(kServices) + "/hello").status, 404);
  const Reply warned = Post(kServices, typo);
  EXPECT_EQ(warned.status, 201);
  std::string warnings;
  for (const http::NamedHeader header : warned.headers) {
    if (http::EqualsIgnoreCase(header.name, "Warning"))
      warnings += std::string(header.value) + "\n";
  }
  EXPECT_THAT(warnings,
              HasSubstr("299 - \"unknown field \\\"spec.template.spec.containers[0].imagee\\\"\""));
  EXPECT_FALSE(warned.json()["spec"]["template"]["spec"]["containers"][0].contains("imagee"));
  DeleteIt(std::string(kServices) + "/hello");
  EXPECT_EQ(Post(std::string(kServices) + "?fieldValidation=Ignore", typo).status, 201);
  EXPECT_EQ(Post(std::string(kServices) + "?fieldValidation=Loud", typo).status, 400);
  const std::string twice =
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"a":"1","a":"2"}})";
  const Reply doubled = Send(platform_, "POST", std::string(kMaps) + "?fieldValidation=Strict",
                             twice, {{"Content-Type", "application/json"}});
  EXPECT_THAT(Message(doubled), HasSubstr("duplicate field \"data.a\""));
}

TEST_F(ApiTest, DeletionAndItsOptions) {
  const std::string target = std::string(kServices) + "/hello";
  const std::string uid = api::UidOf(Post(kServices, Service("hello")).json());
  EXPECT_EQ(DeleteIt(target, {{"preconditions", {{"uid", "other"}}}}).status, 409);
  EXPECT_EQ(DeleteIt(target, {{"propagationPolicy", "Sideways"}}).status, 400);
  const Reply deleted =
      DeleteIt(target, {{"preconditions", {{"uid", uid}}}, {"propagationPolicy", "Background"}});
  EXPECT_EQ(deleted.json()["status"], "Success");
  EXPECT_EQ(deleted.json()["details"]["uid"], uid);
  const Reply gone = DeleteIt(target);
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(
      gone.json().dump(),
      R"({"apiVersion":"v1","code":404,"details":{"group":"serving.knative.dev","kind":"services","name":"hello"},"kind":"Status",)"
      R"("message":"services.serving.knative.dev \"hello\" not found","metadata":{},"reason":"NotFound","status":"Failure"})");

  Post(kServices, Service("hello"));
  const Json waiting = DeleteIt(target + "?propagationPolicy=Foreground").json();
  EXPECT_TRUE(api::IsBeingDeleted(waiting));
  EXPECT_THAT(api::ArrayAt(waiting, {"metadata", "finalizers"}), ElementsAre("foregroundDeletion"));
  // New finalizers may not come any more; the last one's end is the object's.
  EXPECT_EQ(Patch(target, {{"metadata", {{"finalizers", {"foregroundDeletion", "example.com/x"}}}}})
                .status,
            422);
  EXPECT_EQ(Patch(target, {{"metadata", {{"finalizers", nullptr}}}}).status, 200);
  EXPECT_EQ(GetAs(target).status, 404);
}

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

TEST_F(ApiTest, CollectionsAreDeletedBySelector) {
  for (const char* name : {"a", "b", "c"}) {
    Json map = Map(name);
    map["metadata"]["labels"] = {{"app", name}};
    Post(kMaps, map);
  }
  const Reply deleted = DeleteIt(std::string(kMaps) + "?labelSelector=app%20in%20(a,b)");
  EXPECT_EQ(deleted.json()["items"].size(), 2U);
  EXPECT_EQ(GetAs(kMaps).json()["items"].size(), 1U);
}

TEST_F(ApiTest, ListsAndSelectors) {
  for (const char* name : {"b", "a"}) {
    Json service = Service(name);
    service["metadata"]["labels"] = {{"app", name}};
    Post(kServices, service);
  }
  const Json list = GetAs(kServices).json();
  EXPECT_EQ(list["kind"], "ServiceList");
  EXPECT_EQ(list["apiVersion"], "serving.knative.dev/v1");
  EXPECT_EQ(list["items"][0]["metadata"]["name"], "a");
  EXPECT_EQ(list["items"].size(), 2U);
  EXPECT_FALSE(list["metadata"].contains("continue"));
  EXPECT_EQ(GetAs(std::string(kServices) + "?labelSelector=app=b").json()["items"].size(), 1U);
  EXPECT_EQ(GetAs(std::string(kServices) + "?fieldSelector=metadata.name=b").json()["items"].size(),
            1U);
  EXPECT_EQ(GetAs(std::string(kServices) + "?fieldSelector=metadata.name=x").json()["items"].size(),
            0U);
  EXPECT_EQ(GetAs("/apis/serving.knative.dev/v1/services?fieldSelector=metadata.name=b")
                .json()["items"]
                .size(),
            1U);
  EXPECT_EQ(GetAs(std::string(kServices) + "?labelSelector=a,,b").status, 400);
  EXPECT_EQ(GetAs(std::string(kServices) + "?fieldSelector=spec.x=1").status, 400);
  EXPECT_EQ(GetAs(std::string(kServices) + "?continue=abc").status, 400);
  EXPECT_EQ(GetAs(std::string(kServices) + "?resourceVersion=0").status, 200);
  EXPECT_EQ(GetAs(std::string(kServices) + "?resourceVersion=999999").status, 504);
  EXPECT_EQ(GetAs(std::string(kServices) + "?resourceVersion=2&resourceVersionMatch=Exact")
                .json()["items"]
                .size(),
            0U)
      << "as it was then";
  EXPECT_EQ(GetAs(std::string(kServices) + "?resourceVersion=x").status, 400);
  EXPECT_EQ(
      GetAs("/apis/serving.knative.dev/v1/namespaces/nowhere/services").json()["items"].size(), 0U);
}

std::string Names(const Json& list) {
  std::string names;
  for (const Json& item : list["items"]) names += api::NameOf(item);
  return names;
}

TEST_F(ApiTest, ListsInPartsShowOneMoment) {
  for (const char* name : {"a", "b", "c", "d", "e"}) Post(kMaps, Map(name));
  const std::string maps = kMaps;
  const Json first = GetAs(maps + "?limit=2").json();
  EXPECT_EQ(Names(first), "ab");
  EXPECT_EQ(first["metadata"]["remainingItemCount"], 3);
  DeleteIt(maps + "/c");
  Post(kMaps, Map("dd"));
  const auto rest = [&](const Json& part) {
    return GetAs(maps + "?limit=2&continue=" + part["metadata"]["continue"].get<std::string>())
        .json();
  };
  const Json second = rest(first);
  EXPECT_EQ(Names(second), "cd");
  EXPECT_EQ(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
  const Json third = rest(second);
  EXPECT_EQ(Names(third), "e");
  EXPECT_FALSE(third["metadata"].contains("continue"));
  const Json table =
      GetAs(maps + "?limit=2", "application/json;as=Table;v=v1;g=meta.k8s.io").json();
  EXPECT_EQ(table["rows"].size(), 2U);
  EXPECT_TRUE(table["metadata"].contains("continue"));

  for (const char* name : {"b", "e"})
    Patch(maps + "/" + name, {{"metadata", {{"labels", {{"x", "y"}}}}}});
  const Json selected = GetAs(maps + "?limit=1&labelSelector=x=y").json();
  EXPECT_EQ(Names(selected), "b");
  EXPECT_FALSE(selected["metadata"].contains("remainingItemCount"));
  EXPECT_EQ(Names(GetAs(maps + "?limit=1&labelSelector=x=y&continue=" +
                        selected["metadata"]["continue"].get<std::string>())
                      .json()),
            "e");
}

TEST_F(ApiTest, LongListsComeInPieces) {
  platform_.OnLoop([] {});
  for (int i = 0; i < 450; ++i) {
    Json map = Map("m" + std::to_string(i));
    map["metadata"]["namespace"] = "default";
    platform_.Store("v1", "ConfigMap", map);
  }
  EXPECT_EQ(GetAs(kMaps).json()["items"].size(), 450U);
}

TEST_F(ApiTest, Forms) {
  Post(kServices, Service("hello"));
  const std::string target = std::string(kServices) + "/hello";
  const Json table =
      GetAs(kServices, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json").json();
  EXPECT_EQ(table["kind"], "Table");
  EXPECT_EQ(table["columnDefinitions"][1]["name"], "URL");
  EXPECT_EQ(table["rows"][0]["cells"][0], "hello");
  EXPECT_EQ(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
  EXPECT_EQ(GetAs(target, "application/json;as=Table;v=v1beta1;g=meta.k8s.io").json()["apiVersion"],
            "meta.k8s.io/v1beta1");
  EXPECT_EQ(GetAs(std::string(kServices) + "?includeObject=Object",
                  "application/json;as=Table;v=v1;g=meta.k8s.io")
                .json()["rows"][0]["object"]["kind"],
            "Service");
  EXPECT_EQ(GetAs(kServices, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
                .json()["kind"],
            "PartialObjectMetadataList");
  EXPECT_FALSE(GetAs(target, "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")
                   .json()
                   .contains("spec"));
  EXPECT_THAT(GetAs(target, "application/yaml").body, HasSubstr("kind: Service\n"));
  EXPECT_EQ(GetAs(target, "application/vnd.kubernetes.protobuf,application/json").json()["kind"],
            "Service");
  EXPECT_THAT(GetAs(kServices, "application/yaml").body,
              StartsWith("apiVersion: serving.knative.dev/v1\nitems:\n"));
  const Reply missing = GetAs(target + "x", "application/yaml");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("reason: NotFound\n"));
  for (const char* page :
       {"/api", "/apis", "/api/v1", "/apis/serving.knative.dev", "/apis/serving.knative.dev/v1"}) {
    const Reply discovery = GetAs(page, "application/yaml");
    EXPECT_EQ(discovery.headers.Get("Content-Type").value_or(""), "application/yaml") << page;
    EXPECT_THAT(discovery.body, HasSubstr("kind: API")) << page;
    EXPECT_EQ(GetAs(page, "application/vnd.kubernetes.protobuf, */*").status, 200) << page;
    EXPECT_EQ(GetAs(page, "image/png").status, 406) << page;
  }
  const Reply unacceptable = GetAs(target, "image/png");
  EXPECT_EQ(unacceptable.status, 406);
  EXPECT_EQ(Reason(unacceptable), "NotAcceptable");
  EXPECT_THAT(Message(unacceptable),
              StartsWith("only the following media types are accepted: application/json"));
  EXPECT_THAT(GetAs(target + "?pretty=true").body, HasSubstr("\n  \"kind\": \"Service\""));
  const Reply yaml =
      Send(platform_, "POST", kMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\n",
           {{"Content-Type", "application/yaml"}});
  EXPECT_EQ(yaml.status, 201);
}

TEST_F(ApiTest, ProtobufBodiesOfCoreKinds) {
  // A ConfigMap as client-go sends it: k8s\0, then runtime.Unknown{TypeMeta{v1,ConfigMap}, raw}.
  const std::string meta(
      "\x0a\x10\x0a\x03pbm\x1a\x07"
      "default\x42\x00",
      18);
  const std::string data("\x12\x08\x0a\x03key\x12\x01v", 10);
  const std::string raw = meta + data;
  const std::string type(
      "\x0a\x0f\x0a\x02v1\x12\x09"
      "ConfigMap",
      17);
  const std::string body = std::string("k8s\0", 4) + type + "\x12" + static_cast<char>(raw.size()) +
                           raw + std::string("\x1a\x00\x22\x00", 4);
  const Reply created = Send(platform_, "POST", kMaps, body,
                             {{"Content-Type", "application/vnd.kubernetes.protobuf"}});
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.json()["data"].dump(), R"({"key":"v"})");
  // DeleteOptions{propagationPolicy: Background}, as typed clients send it.
  const std::string options = std::string("k8s\0", 4) + std::string(
                                                            "\x0a\x13\x0a\x02v1\x12\x0d"
                                                            "DeleteOptions\x12\x0c\x22\x0a"
                                                            "Background\x1a\x00\x22\x00",
                                                            39);
  const Reply deleted = Send(platform_, "DELETE", std::string(kMaps) + "/pbm", options,
                             {{"Content-Type", "application/vnd.kubernetes.protobuf"}});
  EXPECT_EQ(deleted.json()["status"], "Success") << deleted.body;
  EXPECT_EQ(Send(platform_, "POST", kMaps, "k8s",
                 {{"Content-Type", "application/vnd.kubernetes.protobuf"}})
                .status,
            400);
  EXPECT_EQ(Send(platform_, "POST", kMaps, body.substr(0, 30),
                 {{"Content-Type", "application/vnd.kubernetes.protobuf"}})
                .status,
            400);
}

TEST_F(ApiTest, PlacesAndMethodsThatAreNot) {
  EXPECT_EQ(Post("/apis/serving.knative.dev/v1/namespaces/nowhere/services", Service("x")).status,
            404);
  EXPECT_EQ(Message(Post("/apis/serving.knative.dev/v1/namespaces/nowhere/services", Service("x"))),
            "namespaces \"nowhere\" not found");
  for (const char* path :
       {"/apis/serving.knative.dev/v1/namespaces/default/nothing",
        "/apis/x/v1/namespaces/default/services", "/api/v2/pods", "/nothing",
        "/api/v1/namespaces/default/pods/x/exec", "/api/v1/namespaces/default/nodes",
        "/api/v1/configmaps/x", "/openapi/v3/apis/x/v1"}) {
    const Reply reply = GetAs(path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(Message(reply), "the server could not find the requested resource") << path;
  }
  EXPECT_EQ(Send(platform_, "POST", std::string(kServices) + "/x").status, 405);
  EXPECT_EQ(Send(platform_, "PUT", kServices).status, 405);
  EXPECT_EQ(Send(platform_, "POST", "/version").status, 405);
  EXPECT_EQ(Post("/api/v1/namespaces/default/pods", {{"apiVersion", "v1"}, {"kind", "Pod"}}).status,
            405);
  EXPECT_EQ(Send(platform_, "DELETE", "/api/v1/nodes/x").status, 405);
  EXPECT_EQ(Post("/apis/serving.knative.dev/v1/services", Service("x")).status, 405);
  EXPECT_EQ(GetAs(std::string(kServices) + "?timeoutSeconds=x").status, 400);
}

TEST_F(ApiTest, BodiesThatAreTooMuch) {
  const Reply large = Send(platform_, "POST", kMaps, std::string((3 << 20) + 1, ' '),
                           {{"Content-Type", "application/json"}});
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(Reason(large), "RequestEntityTooLarge");
  const Reply deep = Send(platform_, "POST", kMaps, std::string(1000, '['),
                          {{"Content-Type", "application/json"}});
  EXPECT_EQ(deep.status, 413);
  Json map = Map("m", std::string(1'100'000, 'x'));
  EXPECT_EQ(Post(kMaps, map).status, 422);
  EXPECT_EQ(Send(platform_, "POST", kMaps, "x", {{"Content-Type", "image/png"}}).status, 415);
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

// ---- watches

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

// ---- documents

TEST_F(ApiTest, Documents) {
  EXPECT_EQ(GetAs("/api").json()["versions"][0], "v1");
  EXPECT_EQ(GetAs("/apis").json()["groups"][0]["name"], "serving.knative.dev");
  EXPECT_EQ(GetAs("/apis/serving.knative.dev").json()["preferredVersion"]["version"], "v1");
  const Json resources = GetAs("/apis/serving.knative.dev/v1").json()["resources"];
  EXPECT_EQ(resources[0]["name"], "services");
  EXPECT_THAT(resources[0]["shortNames"], ElementsAre("kservice", "ksvc"));
  EXPECT_EQ(resources[1]["name"], "services/status");
  const Reply aggregated = GetAs(
      "/apis",
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json");
  EXPECT_EQ(aggregated.headers.Get("Content-Type"),
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  EXPECT_EQ(aggregated.json()["items"][0]["versions"][0]["resources"][0]["resource"], "services");
  EXPECT_EQ(
      GetAs("/api", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList")
          .json()["apiVersion"],
      "apidiscovery.k8s.io/v2beta1");
  const std::string document =
      GetAs("/openapi/v3").json()["paths"]["apis/serving.knative.dev/v1"]["serverRelativeURL"];
  const Json openapi = GetAs(document).json();
  const Json& patch =
      openapi["paths"]["/apis/serving.knative.dev/v1/namespaces/{namespace}/services/{name}"]
             ["patch"];
  EXPECT_EQ(patch["x-kubernetes-group-version-kind"]["kind"], "Service");
  EXPECT_TRUE(openapi["components"]["schemas"].contains("dev.knative.serving.v1.Service"));
  EXPECT_EQ(GetAs("/openapi/v2").json()["swagger"], "2.0");
  EXPECT_EQ(GetAs("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
                .headers.Get("Content-Type"),
            "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  for (const char* path : {"/healthz", "/livez", "/readyz"}) EXPECT_EQ(GetAs(path).body, "ok");
  EXPECT_EQ(GetAs("/version").json()["major"], "1");
  EXPECT_THAT(GetAs("/").json()["paths"].dump(), HasSubstr("/openapi/v3"));
}

}  // namespace
}  // namespace updraft::controller
