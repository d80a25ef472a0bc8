// Server-side apply, and which manager owns which field.
#include <gtest/gtest.h>

#include <string>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "tests/integration/api/api_fixture.h"

namespace updraft::controller {
namespace {

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

}  // namespace
}  // namespace updraft::controller
