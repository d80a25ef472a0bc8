// Schemas, the table of kinds and the columns.
#include "core/api/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/api/access.h"
#include "core/api/kinds.h"
#include "core/api/schemas/schemas.h"
#include "core/api/timestamp.h"

namespace updraft::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SchemaTest, PrunesUnknownFieldsAndNulls) {
  Json object = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"x","creationTimestamp":null,"nmae":1},
    "spec":{"template":{"spec":{"containers":[{"image":"i","imagee":"j","env":[{"name":"A","vlaue":"1"}]}],"containerConcurrency":null}}},"extra":{}})");
  const SchemaFindings findings = Conform(*ServingServiceSchema(), object);
  EXPECT_THAT(findings.unknown,
              ElementsAre("extra", "metadata.nmae", "spec.template.spec.containers[0].env[0].vlaue",
                          "spec.template.spec.containers[0].imagee"));
  EXPECT_THAT(findings.problems, IsEmpty());
  EXPECT_EQ(
      object.dump(),
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"x"},"spec":{"template":{"spec":{"containers":[{"env":[{"name":"A"}],"image":"i"}]}}}})");
}

TEST(SchemaTest, NamesTheJsonTypeOfWhatFits) {
  EXPECT_EQ(NameOfType(*Text()), "string");
  EXPECT_EQ(NameOfType(*Int64()), "integer");
  EXPECT_EQ(NameOfType(Schema{.type = Schema::Type::kNumber}), "number");
  EXPECT_EQ(NameOfType(*Bool()), "boolean");
  EXPECT_EQ(NameOfType(*ListOf(Text())), "array");
  EXPECT_EQ(NameOfType(*MapOf(Text())), "object");
  EXPECT_EQ(NameOfType(*IntOrString()), "integer,string");
  EXPECT_EQ(NameOfType(*QuantityText()), "integer,string");
  EXPECT_EQ(NameOfType(*AnyValue()), "object");
}

struct TypeCase {
  const char* object;
  const char* path;
  const char* found;
  const char* wanted;
};

class WrongTypeTest : public testing::TestWithParam<TypeCase> {};

TEST_P(WrongTypeTest, IsReportedWithItsPath) {
  Json object = Json::parse(GetParam().object);
  const SchemaFindings findings = Conform(*ServingServiceSchema(), object);
  ASSERT_EQ(findings.problems.size(), 1U);
  EXPECT_EQ(findings.problems[0].path, GetParam().path);
  EXPECT_EQ(findings.problems[0].found, GetParam().found);
  EXPECT_EQ(findings.problems[0].wanted, GetParam().wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WrongTypeTest,
    testing::Values(
        TypeCase{R"({"spec":[]})", "spec", "array", "object"},
        TypeCase{R"({"spec":{"traffic":{}}})", "spec.traffic", "object", "array"},
        TypeCase{R"({"spec":{"traffic":[1]}})", "spec.traffic[0]", "integer", "object"},
        TypeCase{R"({"spec":{"traffic":[{"percent":"50"}]}})", "spec.traffic[0].percent", "string",
                 "integer"},
        TypeCase{R"({"spec":{"traffic":[{"percent":1.5}]}})", "spec.traffic[0].percent", "number",
                 "integer"},
        TypeCase{R"({"metadata":{"labels":{"a":1}}})", "metadata.labels.a", "integer", "string"},
        TypeCase{
            R"({"spec":{"template":{"spec":{"containers":[{"ports":[{"containerPort":3000000000}]}]}}}})",
            "spec.template.spec.containers[0].ports[0].containerPort", "integer", "int32"},
        TypeCase{R"({"spec":{"template":{"spec":{"timeoutSeconds":18446744073709551615}}}})",
                 "spec.template.spec.timeoutSeconds", "integer", "int64"},
        TypeCase{
            R"({"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"cpu":true}}}]}}}})",
            "spec.template.spec.containers[0].resources.limits.cpu", "boolean", "integer,string"}));

TEST(SchemaTest, WholeNumbersWithAPointAreIntegers) {
  Json object = Json::parse(R"({"spec":{"template":{"spec":{"timeoutSeconds":30.0}}}})");
  EXPECT_THAT(Conform(*ServingServiceSchema(), object).problems, IsEmpty());
  EXPECT_EQ(object["spec"]["template"]["spec"]["timeoutSeconds"].dump(), "30");
}

TEST(KindsTest, NamesAreUniqueWithinAGroup) {
  std::set<std::string> names;
  for (const Kind& kind : Kinds()) {
    EXPECT_TRUE(names.insert(kind.QualifiedResource()).second) << kind.QualifiedResource();
    EXPECT_TRUE(kind.schema) << kind.kind;
    EXPECT_FALSE(kind.columns.empty()) << kind.kind;
    for (const std::string& name : kind.short_names) EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(KindsTest, AreFoundByWhatUsersSay) {
  EXPECT_EQ(FindByUserName("ksvc")->group, "serving.knative.dev");
  EXPECT_EQ(FindByUserName("services.serving.knative.dev")->group, "serving.knative.dev");
  EXPECT_EQ(FindByUserName("svc")->group, "");
  EXPECT_EQ(FindByUserName("Pods")->kind, "Pod");
  EXPECT_EQ(FindByUserName("rev")->kind, "Revision");
  EXPECT_EQ(FindByUserName("nonsense"), nullptr);
  EXPECT_EQ(FindKind("v1", "Service")->short_names[0], "svc");
  EXPECT_EQ(FindResource("serving.knative.dev", "v1", "routes")->StoreResource(),
            "serving.knative.dev/routes");
  EXPECT_EQ(FindResource("", "v1", "pods")->StoreResource(), "pods");
}

std::string Row(std::string_view name, const Json& object, bool wide = false) {
  std::string text;
  const WallTime now = *ParseTimestamp("2026-03-01T10:00:00Z");
  for (const Column& column : FindByUserName(name)->columns) {
    if (column.priority > 0 && !wide) continue;
    const Json cell = column.value(object, now);
    text +=
        (text.empty() ? "" : " | ") + (cell.is_string() ? cell.get<std::string>() : cell.dump());
  }
  return text;
}

TEST(ColumnsTest, APodsStatusIsItsInitContainersUntilTheyHaveEnded) {
  for (const auto& [init, want] : std::vector<std::pair<std::string, std::string>>{
           {R"({"waiting":{"reason":"PodInitializing"}})", "Init:0/2"},
           {R"({"waiting":{"reason":"ImagePullBackOff"}})", "Init:ImagePullBackOff"},
           {R"({"terminated":{"exitCode":3}})", "Init:ExitCode:3"},
           {R"({"terminated":{"exitCode":1,"reason":"Error"}})", "Init:Error"},
           {R"({"terminated":{"exitCode":0}}},{"state":{"running":{}})", "Init:1/2"},
           {R"({"terminated":{"exitCode":0}}},{"state":{"terminated":{"exitCode":0}})", "Pending"}}) {
    const bool both = init.find("},{") != std::string::npos;
    const Json pod = Json::parse(R"({"metadata":{"name":"p"},"spec":{"containers":[{}]},"status":{"phase":"Pending","initContainerStatuses":[{"state":)" +
                                 init + (both ? "}]}}" : R"(},{"state":{}}]}})"));
    EXPECT_THAT(Row("pod", pod), testing::StartsWith("p | 0/1 | " + want + " | 0 |")) << init;
  }
}

TEST(ColumnsTest, PrintWhatKubectlPrints) {
  EXPECT_EQ(
      Row("ksvc",
          Json::parse(
              R"({"metadata":{"name":"h"},"status":{"url":"http://h","latestCreatedRevisionName":"h-1","latestReadyRevisionName":"h-0",
                              "conditions":[{"type":"Ready","status":"Unknown","reason":"X"}]}})")),
      "h | http://h | h-1 | h-0 | Unknown | X");
  EXPECT_EQ(
      Row("rev",
          Json::parse(
              R"({"metadata":{"name":"h-1","labels":{"serving.knative.dev/configuration":"h","serving.knative.dev/configurationGeneration":"1"}},
                             "status":{"actualReplicas":2,"conditions":[{"type":"Ready","status":"True"}]}})")),
      "h-1 | h | 1 | True | null | 2 | null");
  EXPECT_EQ(
      Row("pod",
          Json::parse(
              R"({"metadata":{"name":"p","creationTimestamp":"2026-03-01T09:59:00Z"},"spec":{"nodeName":"n","containers":[{},{}]},
                             "status":{"phase":"Running","podIP":"10.0.0.1","containerStatuses":[{"ready":true,"restartCount":2,
                             "lastState":{"terminated":{"finishedAt":"2026-03-01T09:59:30Z"}}},{"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})"),
          true),
      "p | 1/2 | CrashLoopBackOff | 2 (30s ago) | 60s | 10.0.0.1 | n | <none> | <none>");
  EXPECT_EQ(
      Row("node",
          Json::parse(
              R"({"metadata":{"name":"n","creationTimestamp":"2026-03-01T07:00:00Z","labels":{"node-role.kubernetes.io/control-plane":""}},
                              "spec":{"unschedulable":true},"status":{"nodeInfo":{"kubeletVersion":"v1"},"conditions":[{"type":"Ready","status":"True"}]}})")),
      "n | Ready,SchedulingDisabled | control-plane | 3h | v1");
  EXPECT_EQ(
      Row("cm", Json::parse(R"({"metadata":{"name":"c"},"data":{"a":"1"},"binaryData":{"b":""}})")),
      "c | 2 | <unknown>");
  EXPECT_EQ(
      Row("ev",
          Json::parse(
              R"({"metadata":{"name":"e"},"type":"Normal","reason":"Created","message":"m","lastTimestamp":"2026-03-01T09:58:00Z",
                            "involvedObject":{"kind":"Service","name":"h"}})")),
      "2m | Normal | Created | service/h | m");
}

}  // namespace
}  // namespace updraft::api
