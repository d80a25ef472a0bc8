// Lists and their parts, the forms of objects, places that are not there, and documents about the API itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/api/meta.h"
#include "tests/integration/api/api_fixture.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

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
