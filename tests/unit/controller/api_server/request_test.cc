// Reading requests: paths, options, forms, deletions.
#include "controller/api_server/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/api_server/delete_options.h"
#include "controller/api_server/negotiate.h"
#include "controller/api_server/patching.h"
#include "controller/api_server/selection.h"

namespace updraft::controller {
namespace {

using testing::HasSubstr;

struct PathCase {
  const char* method;
  const char* path;
  const char* want;  // verb kind ns name subresource, or the code of the refusal
};

std::string Describe(const PathCase& c, bool watch = false) {
  const auto request = ParseResourceRequest(c.method, c.path, watch);
  if (!request) return std::to_string(request.error().code);
  return std::string(VerbName(request->verb)) + " " + request->kind->QualifiedResource() + " " +
         request->ns + " " + request->name + " " + request->subresource;
}

class PathTest : public testing::TestWithParam<PathCase> {};

TEST_P(PathTest, IsRead) {
  EXPECT_EQ(Describe(GetParam()), GetParam().want) << GetParam().method << " " << GetParam().path;
}

INSTANTIATE_TEST_SUITE_P(
    Table, PathTest,
    testing::Values(PathCase{"GET", "/api/v1/namespaces/d/pods", "list pods d  "},
                    PathCase{"GET", "/api/v1/pods", "list pods   "},
                    PathCase{"GET", "/api/v1/namespaces/d/pods/p", "get pods d p "},
                    PathCase{"GET", "/api/v1/namespaces/d/pods/p/log", "get pods d p log"},
                    PathCase{"POST", "/api/v1/namespaces/d/pods/p/exec", "connect pods d p exec"},
                    PathCase{"GET", "/api/v1/namespaces/d/pods/p/exec", "connect pods d p exec"},
                    PathCase{"GET", "/api/v1/namespaces/d/pods/p/attach", "connect pods d p attach"},
                    PathCase{"POST", "/api/v1/namespaces/d/pods/p/portforward",
                             "connect pods d p portforward"},
                    PathCase{"DELETE", "/api/v1/namespaces/d/pods/p/exec", "405"},
                    PathCase{"GET", "/api/v1/namespaces/d/secrets/p/exec", "404"},
                    PathCase{"HEAD", "/api/v1/namespaces/d/pods/p", "get pods d p "},
                    PathCase{"GET", "/api/v1/namespaces", "list namespaces   "},
                    PathCase{"GET", "/api/v1/namespaces/d", "get namespaces  d "},
                    PathCase{"PUT", "/api/v1/namespaces/d/status", "update namespaces  d status"},
                    PathCase{"DELETE", "/api/v1/namespaces/d", "delete namespaces  d "},
                    PathCase{"DELETE", "/api/v1/namespaces", "405"},
                    PathCase{"POST", "/apis/serving.knative.dev/v1/namespaces/d/services",
                             "create services.serving.knative.dev d  "},
                    PathCase{"PATCH", "/apis/serving.knative.dev/v1/namespaces/d/services/s%2Dx",
                             "patch services.serving.knative.dev d s-x "},
                    PathCase{"PUT", "/apis/serving.knative.dev/v1/namespaces/d/routes/r/status",
                             "update routes.serving.knative.dev d r status"},
                    PathCase{"DELETE", "/apis/serving.knative.dev/v1/namespaces/d/services",
                             "deletecollection services.serving.knative.dev d  "},
                    PathCase{"GET", "/api/v1/nodes/n", "get nodes  n "},
                    PathCase{"PATCH", "/api/v1/nodes/n", "patch nodes  n "},
                    PathCase{"POST", "/api/v1/nodes", "405"},
                    PathCase{"DELETE", "/api/v1/namespaces/d/pods/p", "delete pods d p "},
                    PathCase{"DELETE", "/api/v1/nodes/n", "405"},
                    PathCase{"POST", "/api/v1/namespaces/d/services", "405"},
                    PathCase{"POST", "/api/v1/configmaps", "405"},
                    PathCase{"GET", "/api/v1/configmaps/c", "404"},
                    PathCase{"GET", "/api/v1/namespaces/d/nodes", "404"},
                    PathCase{"GET", "/api/v1/namespaces/d/nothing", "404"},
                    PathCase{"GET", "/apis/other/v1/x", "404"},
                    PathCase{"POST", "/api/v1/namespaces/d/pods/p/eviction",
                             "create pods d p eviction"},
                    PathCase{"GET", "/api/v1/namespaces/d/pods/p/eviction", "405"},
                    PathCase{"POST", "/api/v1/namespaces/d/configmaps/p/eviction", "404"},
                    PathCase{"GET", "/api/v1/namespaces/d/pods/p/log/x", "404"},
                    PathCase{"GET", "/api/v1/namespaces/d/configmaps/c/status", "404"},
                    PathCase{"GET", "/api/v1/namespaces/%zz/pods", "400"},
                    PathCase{"BREW", "/api/v1/pods", "405"},
                    PathCase{"POST", "/api/v1/namespaces/d/pods/p/log", "405"}));

TEST(PathsTest, WatchesAreLists) {
  EXPECT_EQ(Describe({"GET", "/api/v1/pods", ""}, true), "watch pods   ");
  EXPECT_TRUE(IsResourcePath("/api/v1/x"));
  EXPECT_FALSE(IsResourcePath("/api/v1"));
  EXPECT_FALSE(IsResourcePath("/apis/g/v1"));
  EXPECT_FALSE(IsResourcePath("/openapi/v3/apis/g"));
}

TEST(OptionsTest, AreRead) {
  const auto options = ParseOptions(
      "labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&watch=true&resourceVersion=5&"
      "resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1&"
      "sendInitialEvents=false&timeoutSeconds=30&dryRun=All&fieldValidation=Strict&fieldManager=m&"
      "limit=500&pretty&tailLines=0&follow=true&unknown=x");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->label_selector, "a=b");
  EXPECT_EQ(options->field_selector, "metadata.name=x");
  EXPECT_TRUE(options->watch && options->allow_bookmarks && options->dry_run && options->pretty &&
              options->follow);
  EXPECT_EQ(options->send_initial_events, false);
  EXPECT_EQ(options->timeout_seconds, 30);
  EXPECT_EQ(options->tail_lines, 0);
  EXPECT_EQ(options->field_validation, FieldValidation::kStrict);
  for (const char* query : {"watch=maybe", "timeoutSeconds=-1", "timeoutSeconds=1x", "dryRun=Some",
                            "fieldValidation=Loud", "tailLines=99999999999999999999"}) {
    EXPECT_FALSE(ParseOptions(query)) << query;
  }
}

TEST(ListPlanTest, FollowsKubernetesRules) {
  struct Row {
    const char* query;
    const char* want;  // revision limit, or code and what is said
  };
  const auto plan = [](const char* query) {
    const ApiResult<ListPlan> planned = PlanList(*ParseOptions(query), 50);
    if (!planned) return std::to_string(planned.error().code) + " " + planned.error().message;
    return std::to_string(planned->revision) + " " + std::to_string(planned->limit);
  };
  for (const Row& row :
       {Row{"", "0 0"}, Row{"limit=5", "0 5"}, Row{"resourceVersion=0", "0 0"},
        Row{"resourceVersion=7", "0 0"}, Row{"resourceVersion=7&limit=2", "7 2"},
        Row{"resourceVersion=7&resourceVersionMatch=Exact", "7 0"},
        Row{"resourceVersion=7&limit=2&resourceVersionMatch=NotOlderThan", "0 2"},
        Row{"resourceVersion=70", "504 Timeout: Too large resource version: 70, current: 50"},
        Row{"resourceVersion=x", "400 Invalid value: \"x\": invalid resource version"},
        Row{"resourceVersionMatch=Exact",
            "422 ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: "
            "resourceVersionMatch is forbidden unless resourceVersion is provided"},
        Row{"resourceVersion=0&resourceVersionMatch=Exact",
            "422 ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: "
            "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\""},
        Row{"resourceVersion=1&resourceVersionMatch=Most",
            "422 ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Unsupported value: "
            "\"Most\": supported values: \"Exact\", \"NotOlderThan\""},
        Row{"sendInitialEvents=true",
            "422 ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: "
            "sendInitialEvents is forbidden for list"},
        Row{"continue=abc", "400 continue key is not valid: it was not made by this server"}}) {
    EXPECT_EQ(plan(row.query), row.want) << row.query;
  }
}

TEST(ListPlanTest, TokensSayWhereToGoOn) {
  const std::string token = ContinueToken(7, "default", "x?>", 3);
  EXPECT_EQ(token.find_first_of("+/="), std::string::npos);
  const ApiResult<ListPlan> plan = PlanList(*ParseOptions("limit=2&continue=" + token), 50);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->revision, 7);
  EXPECT_EQ(plan->after_ns + " " + plan->after_name, "default x?>");
  EXPECT_EQ(plan->seen, 3U);
  EXPECT_EQ(PlanList(*ParseOptions("resourceVersion=3&continue=" + token), 50).error().code, 400);
  // Too old: what is left can be had as it is now.
  const ApiError expired = ListExpired(*plan);
  EXPECT_EQ(expired.code, 410);
  const ApiResult<ListPlan> rest =
      PlanList(*ParseOptions("continue=" + expired.continue_token), 50);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->revision, 0);
  EXPECT_EQ(rest->after_name, "x?>");
}

TEST(NegotiationTest, TheFirstFormThatIsKnownWins) {
  const auto shape = [](const char* accept) {
    const auto format = ChooseFormat(accept);
    if (!format) return std::to_string(format.error().code);
    const std::string names[] = {"object", "table", "partial"};
    return ContentType(*format) + " " + names[static_cast<size_t>(format->shape)] + " " +
           format->meta_version;
  };
  EXPECT_EQ(shape(""), "application/json object v1");
  EXPECT_EQ(shape("*/*"), "application/json object v1");
  EXPECT_EQ(shape("application/vnd.kubernetes.protobuf, */*"), "application/json object v1");
  EXPECT_EQ(shape("application/json;as=Table;v=v1;g=meta.k8s.io,application/"
                  "json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"),
            "application/json table v1");
  EXPECT_EQ(shape("application/json; as=Table; v=v1beta1; g=meta.k8s.io"),
            "application/json table v1beta1");
  EXPECT_EQ(shape("application/json;as=Table;v=v9;g=meta.k8s.io,application/json"),
            "application/json object v1");
  EXPECT_EQ(shape("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),
            "application/json partial v1");
  EXPECT_EQ(shape("application/yaml;q=0.9"), "application/yaml object v1");
  EXPECT_EQ(shape("application/yaml;q=0.5, application/json"), "application/json object v1");
  EXPECT_EQ(shape("application/json;q=0.5, application/yaml;q=0.8"), "application/yaml object v1");
  EXPECT_EQ(shape("*/*, application/yaml"), "application/yaml object v1");
  EXPECT_EQ(shape("application/*, application/yaml;q=nonsense"), "application/yaml object v1");
  EXPECT_EQ(shape("text/html,image/png"), "406");
  EXPECT_EQ(
      DiscoveryVersion(
          "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"),
      "v2");
  EXPECT_EQ(
      DiscoveryVersion(
          "application/json, application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"),
      "");
  EXPECT_EQ(DiscoveryVersion(""), "");
}

TEST(BodyTest, IsDecodedByItsType) {
  EXPECT_EQ(DecodeBody("application/json; charset=utf-8", R"({"a":1})")->value["a"], 1);
  EXPECT_EQ(DecodeBody("application/yaml", "a: 1")->value["a"], 1);
  EXPECT_EQ(DecodeBody("application/apply-patch+yaml", "a: 1")->value["a"], 1);
  EXPECT_EQ(DecodeBody("", R"({"a":1})")->value["a"], 1);
  EXPECT_TRUE(DecodeBody("anything", "")->value.is_null());
  EXPECT_EQ(DecodeBody("text/plain", "a").error().code, 415);
  EXPECT_EQ(DecodeBody("application/json", "{").error().code, 400);
  EXPECT_EQ(DecodeBody("application/yaml", "a: 1\n---\nb: 2").error().code, 400);
  EXPECT_THAT(DecodeBody("application/yaml", "a:\n\t- b").error().message, HasSubstr("line 2"));
  EXPECT_EQ(DecodeBody("application/json", std::string(200, '[')).error().code, 413);
}

TEST(DeleteOptionsTest, BodyOutweighsQuery) {
  RequestOptions query;
  query.propagation_policy = "Orphan";
  EXPECT_EQ(ParseDeleteOptions(query, nullptr)->propagation, Propagation::kOrphan);
  EXPECT_EQ(ParseDeleteOptions(query, Json{{"propagationPolicy", "Foreground"}})->propagation,
            Propagation::kForeground);
  EXPECT_EQ(ParseDeleteOptions({}, Json{{"orphanDependents", true}})->propagation,
            Propagation::kOrphan);
  EXPECT_EQ(ParseDeleteOptions({}, Json::object())->propagation, Propagation::kBackground);
  EXPECT_TRUE(ParseDeleteOptions({}, Json{{"dryRun", {"All"}}})->dry_run);
  EXPECT_FALSE(ParseDeleteOptions({}, Json{{"propagationPolicy", "x"}}));
  EXPECT_FALSE(ParseDeleteOptions({}, Json::array()));
}

TEST(PatchTypesTest, DependOnTheKind) {
  const api::Kind& map = *api::FindByUserName("cm");
  const api::Kind& service = *api::FindByUserName("ksvc");
  EXPECT_EQ(*ChoosePatchType(map, "application/strategic-merge-patch+json"), PatchType::kStrategic);
  EXPECT_EQ(ChoosePatchType(service, "application/strategic-merge-patch+json").error().code, 415);
  EXPECT_EQ(*ChoosePatchType(service, "application/merge-patch+json; charset=utf-8"),
            PatchType::kMerge);
  EXPECT_FALSE(ChoosePatchType(service, "application/json"));
}

}  // namespace
}  // namespace updraft::controller
