// Knative's rules for what a template says of its revision, with their exact texts: the revision's own fields and its name
// (reference 1.3), and what may change afterwards (1.5).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/meta.h"
#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

class RevisionSpecTest : public testing::TestWithParam<ManifestCase> {};

TEST_P(RevisionSpecTest, Verdict) {
  EXPECT_EQ(Verdict(WithSpec(GetParam().manifest)), GetParam().want) << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, RevisionSpecTest,
    testing::ValuesIn(std::vector<ManifestCase>{
        {"{}", ""},
        {R"({"timeoutSeconds":600})", ""},
        {R"({"timeoutSeconds":601})",
         "expected 0 <= 601 <= 600: spec.template.spec.timeoutSeconds"},
        {R"({"timeoutSeconds":-1})", "expected 0 <= -1 <= 600: spec.template.spec.timeoutSeconds"},
        {R"({"containerConcurrency":1000})", ""},
        {R"({"containerConcurrency":1001})",
         "expected 0 <= 1001 <= 1000: spec.template.spec.containerConcurrency"},
        {R"({"containerConcurrency":-1})",
         "expected 0 <= -1 <= 1000: spec.template.spec.containerConcurrency"},
        {R"({"containers":[]})", "missing field(s): spec.template.spec.containers"},
        {R"({"containers":null})", "missing field(s): spec.template.spec.containers"},
        {R"({"containers":[{}]})", "missing field(s): spec.template.spec.containers[0].image"},
        {R"({"serviceAccountName":"My Account"})",
         "invalid value: My Account: spec.template.spec.serviceAccountName\na lowercase RFC 1123 "
         "subdomain must consist of lower case "
         "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
         "character (e.g. 'example.com', regex used "
         "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
        {R"({"imagePullSecrets":[{"name":"x"}],"enableServiceLinks":true,"automountServiceAccountToken":false})",
         ""},
        {R"({"automountServiceAccountToken":true})",
         "must not set the field(s): spec.template.spec.automountServiceAccountToken"},
    }));

TEST(GatesTest, ContainerConcurrencyMayHaveToBeLimited) {
  ServingConfig config;
  config.defaults.allow_container_concurrency_zero = false;
  config.defaults.container_concurrency_max = 50;
  EXPECT_EQ(Verdict(WithSpec(R"({"containerConcurrency":0})"), config),
            "expected 1 <= 0 <= 50: spec.template.spec.containerConcurrency");
  EXPECT_EQ(Verdict(WithSpec(R"({"containerConcurrency":51})"), config),
            "expected 1 <= 51 <= 50: spec.template.spec.containerConcurrency");
  EXPECT_EQ(Verdict(WithSpec(R"({"containerConcurrency":50})"), config), "");
  config.defaults.timeout_seconds_max = 1200;
  EXPECT_EQ(Verdict(WithSpec(R"({"containerConcurrency":1,"timeoutSeconds":1200})"), config), "");
}

TEST(RevisionNameTest, OfTheUsers) {
  Json service = Service();
  Json& name = service["spec"]["template"]["metadata"]["name"];
  name = "hello-v1";
  EXPECT_EQ(Verdict(service), "");
  name = "other-v1";
  EXPECT_EQ(Verdict(service),
            "invalid value: \"other-v1\" must have prefix \"hello-\": spec.template.metadata.name");
  name = "Hello-v1";
  EXPECT_THAT(Verdict(service), testing::HasSubstr("invalid value: not a DNS 1035 label: ["));
  name = "hello-v1";
  service["metadata"].erase("name");
  service["metadata"]["generateName"] = "hello-";
  EXPECT_EQ(Verdict(service), "must not set the field(s): spec.template.metadata.name");
}

TEST(RevisionNameTest, MustChangeWithTheTemplate) {
  Json old = Service();
  old["spec"]["template"]["metadata"]["name"] = "hello-v1";
  const ServingConfig config;
  SetDefaults(KindNamed("ksvc"), old, {.config = &config, .user = "tester"});
  Json changed = old;
  EXPECT_EQ(Verdict(changed, {}, &old), "");
  changed["spec"]["template"]["spec"]["containers"][0]["image"] = "gcr.io/a/other";
  EXPECT_EQ(
      Verdict(changed, {}, &old),
      "Saw the following changes without a name change (-old +new): spec.template.metadata.name\n"
      "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].Image:\n\t-: \"gcr.io/a/hello\"\n\t+: "
      "\"gcr.io/a/other\"\n");
  changed["spec"]["template"]["metadata"]["name"] = "hello-v2";
  EXPECT_EQ(Verdict(changed, {}, &old), "");
}

TEST(UpdateTest, UserAnnotationsAreTheServers) {
  Json old = Service();
  const ServingConfig config;
  SetDefaults(KindNamed("ksvc"), old, {.config = &config, .user = "tester"});
  Json changed = old;
  SetAnnotation(changed, "serving.knative.dev/creator", "me");
  EXPECT_EQ(Verdict(changed, {}, &old),
            "annotation value is immutable: metadata.annotations.serving.knative.dev/creator");
  changed = old;
  SetAnnotation(changed, "serving.knative.dev/lastModifier", "me");
  EXPECT_EQ(Verdict(changed, {}, &old),
            "invalid value: me: metadata.annotations.serving.knative.dev/lastModifier");
  // With another spec the server has the last word.
  changed["spec"]["template"]["spec"]["timeoutSeconds"] = 5;
  EXPECT_EQ(Verdict(changed, {}, &old), "");
  for (const char* kind : {"cfg", "rt"}) {
    Json owned = {{"metadata", {{"name", "c"}}}, {"spec", Service()["spec"]}};
    owned["spec"]["traffic"] = Json::parse(R"([{"percent":100,"configurationName":"c"}])");
    Json edited = owned;
    SetAnnotation(edited, "serving.knative.dev/creator", "me");
    EXPECT_EQ(Verdict(edited, {}, &owned, kind),
              "annotation value is immutable: metadata.annotations.serving.knative.dev/creator");
    edited["metadata"]["ownerReferences"] =
        Json::parse(R"([{"kind":"Service","name":"c","uid":"1","apiVersion":"v"}])");
    EXPECT_EQ(Verdict(edited, {}, &owned, kind), "") << "the owner copies his annotations";
  }
}

TEST(UpdateTest, RevisionsCannotBeChanged) {
  Json old = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Revision","metadata":{"name":"r"},"spec":{"containers":[{"image":"a/b"}]}})");
  Json labelled = old;
  SetLabel(labelled, "a", "b");
  EXPECT_EQ(Verdict(labelled, {}, &old, "rev"), "");
  Json changed = old;
  changed["spec"]["containers"][0]["image"] = "a/c";
  EXPECT_EQ(
      Verdict(changed, {}, &old, "rev"),
      "Immutable fields changed (-old +new): spec\n{v1.RevisionSpec}.PodSpec.Containers[0].Image:"
      "\n\t-: \"a/b\"\n\t+: \"a/c\"\n");
}

TEST(WarningsTest, NameInsecureDefaults) {
  const ServingConfig config;
  const WriteContext context{.config = &config, .user = "tester"};
  const FieldErrors warnings =
      ValidateServing(KindNamed("ksvc"), Service(), context).Only(FieldError::Level::kWarning);
  EXPECT_EQ(warnings.Text(),
            "Kubernetes default value is insecure, Knative may default this to secure in a future "
            "release: "
            "spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation, "
            "spec.template.spec.containers[0].securityContext.capabilities, "
            "spec.template.spec.containers[0].securityContext.runAsNonRoot, "
            "spec.template.spec.containers[0].securityContext.seccompProfile");
}

}  // namespace
}  // namespace updraft::api
