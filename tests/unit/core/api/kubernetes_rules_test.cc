// Kubernetes' own rules: metadata of every kind, and the content of core kinds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

struct CoreCase {
  const char* kind;
  const char* object;
  const char* field;
  const char* message;
};

class KubernetesRuleTest : public testing::TestWithParam<CoreCase> {};

TEST_P(KubernetesRuleTest, IsKept) {
  const auto problems =
      ValidateKubernetes(KindNamed(GetParam().kind), Json::parse(GetParam().object), nullptr);
  ASSERT_EQ(problems.size(), 1U) << GetParam().object;
  EXPECT_EQ(problems[0].field, GetParam().field);
  EXPECT_THAT(problems[0].message, testing::HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, KubernetesRuleTest,
    testing::Values(
        CoreCase{"cm", R"({"metadata":{"name":"A"}})", "metadata.name",
                 "Invalid value: \"A\": a lowercase RFC 1123 subdomain"},
        CoreCase{"cm", R"({"metadata":{}})", "metadata.name",
                 "Required value: name or generateName is required"},
        CoreCase{"ns", R"({"metadata":{"name":"a.b"}})", "metadata.name", "must not contain dots"},
        CoreCase{"cm", R"({"metadata":{"name":"a","labels":{"a b":"c"}}})", "metadata.labels",
                 "Invalid value: \"a b\": name part must consist"},
        CoreCase{"ksvc", R"({"metadata":{"name":"a","labels":{"a":"b c"}}})", "metadata.labels",
                 "Invalid value: \"b c\": a valid label must be"},
        CoreCase{"cm", R"({"metadata":{"name":"a","annotations":{"/x":"c"}}})",
                 "metadata.annotations", "prefix part must be non-empty"},
        CoreCase{"cm", R"({"metadata":{"name":"a","finalizers":["a b"]}})", "metadata.finalizers",
                 "name part must consist"},
        CoreCase{
            "cm",
            R"({"metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"k","name":"n"}]}})",
            "metadata.ownerReferences.uid", "must not be empty"},
        CoreCase{"cm", R"({"metadata":{"name":"a"},"data":{"a/b":"c"}})", "data[a/b]",
                 "a valid config key must consist"},
        CoreCase{"cm", R"({"metadata":{"name":"a"},"data":{"a":"c"},"binaryData":{"a":"eA=="}})",
                 "data[a]", "duplicate of key"},
        CoreCase{"cm", R"({"metadata":{"name":"a"},"binaryData":{"a":"x"}})", "binaryData[a]",
                 "illegal base64"},
        CoreCase{"secret", R"({"metadata":{"name":"a"},"data":{"a":"not base64"}})", "data[a]",
                 "illegal base64"},
        CoreCase{"secret",
                 R"({"metadata":{"name":"a"},"type":"kubernetes.io/tls","data":{"tls.crt":""}})",
                 "data[tls.key]", "Required value"},
        CoreCase{
            "secret",
            R"({"metadata":{"name":"a"},"type":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":"eA=="}})",
            "data[.dockerconfigjson]", "redacted"}));

TEST(KubernetesRulesTest, OnUpdates) {
  const Json old = Json::parse(
      R"({"metadata":{"name":"a","deletionTimestamp":"x","finalizers":["a/b"]},"immutable":true,"data":{"a":"1"}})");
  Json changed = old;
  changed["data"]["a"] = "2";
  changed["metadata"]["finalizers"].push_back("c/d");
  const auto problems = ValidateKubernetes(KindNamed("cm"), changed, &old);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].reason, "FieldValueForbidden");
  EXPECT_THAT(problems[1].message, testing::HasSubstr("field is immutable"));
}

}  // namespace
}  // namespace updraft::api
