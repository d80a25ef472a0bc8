#include "core/api/patch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/schemas/schemas.h"

namespace updraft::api {
namespace {

using testing::HasSubstr;

Json Parse(std::string_view text) { return Json::parse(text); }

struct Case {
  const char* target;
  const char* patch;
  const char* want;
};

TEST(MergePatchTest, FollowsTheRfc) {
  for (const Case& c :
       {Case{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        Case{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        Case{R"({"a":"b"})", R"({"a":null})", "{}"},
        Case{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        Case{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        Case{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        Case{"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
        Case{R"({"e":null})", R"({"a":1})", R"({"a":1,"e":null})"},
        Case{"[1,2]", R"({"a":"b"})", R"({"a":"b"})"}}) {
    EXPECT_EQ(MergePatch(Parse(c.target), Parse(c.patch)), Parse(c.want)) << c.patch;
  }
}

TEST(JsonPatchTest, Applies) {
  for (const Case& c :
       {Case{R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
        Case{R"({"l":[1,3]})",
             R"([{"op":"add","path":"/l/1","value":2},{"op":"add","path":"/l/-","value":4}])",
             R"({"l":[1,2,3,4]})"},
        Case{R"({"l":[1,2]})", R"([{"op":"remove","path":"/l/0"}])", R"({"l":[2]})"},
        Case{R"({"a":1})", R"([{"op":"replace","path":"/a","value":{"b":1}}])", R"({"a":{"b":1}})"},
        Case{R"({"a":1})", R"([{"op":"test","path":"/a","value":1},{"op":"remove","path":"/a"}])",
             "{}"},
        Case{R"({"a":{"x":1}})", R"([{"op":"move","from":"/a/x","path":"/b"}])",
             R"({"a":{},"b":1})"},
        Case{R"({"a":{"x":1}})", R"([{"op":"copy","from":"/a","path":"/a/y"}])",
             R"({"a":{"x":1,"y":{"x":1}}})"},
        Case{R"({"m~n":1,"a/b":2})",
             R"([{"op":"remove","path":"/m~0n"},{"op":"replace","path":"/a~1b","value":3}])",
             R"({"a/b":3})"},
        Case{R"({"a":1})", R"([{"op":"test","path":"/none","value":null}])", R"({"a":1})"}}) {
    const auto result = JsonPatch(Parse(c.target), Parse(c.patch));
    ASSERT_TRUE(result) << c.patch << ": " << result.error().message;
    EXPECT_EQ(*result, Parse(c.want)) << c.patch;
  }
}

TEST(JsonPatchTest, Refuses) {
  for (const char* patch :
       {"{}", "[1]", R"([{"op":"add"}])", R"([{"op":"add","path":"a","value":1}])",
        R"([{"op":"add","path":"/x/y","value":1}])", R"([{"op":"remove","path":"/none"}])",
        R"([{"op":"replace","path":"/none","value":1}])", R"([{"op":"spin","path":"/a"}])",
        R"([{"op":"test","path":"/a","value":2}])", R"([{"op":"add","path":"/l/9","value":1}])",
        R"([{"op":"remove","path":"/l/-"}])", R"([{"op":"remove","path":"/l/01"}])",
        R"([{"op":"move","from":"/l","path":"/l/0"}])", R"([{"op":"add","path":"/a~2","value":1}])",
        R"([{"op":"add","path":"/b"}])", R"([{"op":"remove","path":""}])"}) {
    EXPECT_FALSE(JsonPatch(Parse(R"({"a":1,"l":[1]})"), Parse(patch))) << patch;
  }
}

TEST(JsonPatchTest, CopiesAreBounded) {
  Json patch = Json::array();
  for (int i = 0; i < 40; ++i) {
    patch.push_back({{"op", "copy"}, {"from", ""}, {"path", "/a/" + std::to_string(i)}});
  }
  EXPECT_FALSE(JsonPatch(Parse(R"({"a":{"x":"0123456789"}})"), patch));
}

TEST(StrategicMergeTest, MergesByKey) {
  const Schema& account = *ServiceAccountSchema();
  for (const Case& c :
       {Case{R"({"secrets":[{"name":"a","kind":"x"},{"name":"b"}]})",
             R"({"secrets":[{"name":"a","kind":"y"},{"name":"c"}]})",
             R"({"secrets":[{"name":"a","kind":"y"},{"name":"b"},{"name":"c"}]})"},
        Case{R"({"secrets":[{"name":"a"},{"name":"b"}]})",
             R"({"secrets":[{"name":"a","$patch":"delete"}]})", R"({"secrets":[{"name":"b"}]})"},
        Case{R"({"secrets":[{"name":"a"}]})", R"({"secrets":[{"$patch":"replace"},{"name":"z"}]})",
             R"({"secrets":[{"name":"z"}]})"},
        Case{R"({"secrets":[{"name":"a"},{"name":"b"}]})",
             R"({"$setElementOrder/secrets":[{"name":"c"},{"name":"a"}],"secrets":[{"name":"c"}]})",
             R"({"secrets":[{"name":"c"},{"name":"a"},{"name":"b"}]})"},
        Case{R"({"imagePullSecrets":[{"name":"a"}]})", R"({"imagePullSecrets":[{"name":"b"}]})",
             R"({"imagePullSecrets":[{"name":"b"}]})"},
        Case{R"({"metadata":{"finalizers":["a","b"]}})",
             R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}})",
             R"({"metadata":{"finalizers":["b","c"]}})"},
        Case{R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
             R"({"metadata":{"labels":{"a":null,"c":"3"}}})",
             R"({"metadata":{"labels":{"b":"2","c":"3"}}})"},
        Case{R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
             R"({"metadata":{"labels":{"$patch":"replace","c":"3"}}})",
             R"({"metadata":{"labels":{"c":"3"}}})"},
        Case{R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
             R"({"metadata":{"labels":{"$retainKeys":["b","c"],"c":"3"}}})",
             R"({"metadata":{"labels":{"b":"2","c":"3"}}})"}}) {
    const auto result = StrategicMergePatch(account, Parse(c.target), Parse(c.patch));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(*result, Parse(c.want)) << c.patch;
  }
}

TEST(StrategicMergeTest, Refuses) {
  const Schema& account = *ServiceAccountSchema();
  for (const char* patch :
       {"[]", R"({"$patch":"spin"})", R"({"secrets":[{"kind":"x"}]})", R"({"$retainKeys":1})"}) {
    EXPECT_FALSE(StrategicMergePatch(account, Json::object(), Parse(patch))) << patch;
  }
}

TEST(ApplyMergeTest, MergesKeyedListsAndReplacesOthers) {
  const Schema& account = *ServiceAccountSchema();
  EXPECT_EQ(
      ApplyMerge(
          account,
          Parse(R"({"a":1,"secrets":[{"name":"a","kind":"x"}],"imagePullSecrets":[{"name":"p"}]})"),
          Parse(
              R"({"secrets":[{"name":"a","uid":"u"},{"name":"b"}],"imagePullSecrets":[{"name":"q"}]})")),
      Parse(
          R"({"a":1,"secrets":[{"name":"a","kind":"x","uid":"u"},{"name":"b"}],"imagePullSecrets":[{"name":"q"}]})"));
  // Containers without names are applied as they are written: Knative's list of them is atomic.
  const Json live = Parse(
      R"({"spec":{"template":{"spec":{"timeoutSeconds":300,"containers":[{"name":"user-container","image":"i"}]}}}})");
  EXPECT_EQ(
      ApplyMerge(*ServingServiceSchema(), live,
                 Parse(R"({"spec":{"template":{"spec":{"containers":[{"image":"j"}]}}}})")),
      Parse(
          R"({"spec":{"template":{"spec":{"timeoutSeconds":300,"containers":[{"image":"j"}]}}}})"));
}

}  // namespace
}  // namespace updraft::api
