// Objects are made, changed and deleted: what the server decides, what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "tests/integration/api/api_fixture.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

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

}  // namespace
}  // namespace updraft::controller
