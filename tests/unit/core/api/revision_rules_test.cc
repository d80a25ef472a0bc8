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
        {R"({"timeoutSeconds":0})", ""},
        {R"({"responseStartTimeoutSeconds":100000,"idleTimeoutSeconds":100000})", ""},
        {R"({"responseStartTimeoutSeconds":-1,"idleTimeoutSeconds":-1})", ""},
        {R"({"containerConcurrency":0})", ""},
        {R"({"timeoutSeconds":9999999999,"containerConcurrency":9999999999})",
         "expected 0 <= 9999999999 <= 1000: spec.template.spec.containerConcurrency\nexpected 0 <= "
         "9999999999 <= 600: spec.template.spec.timeoutSeconds"},
        {R"({"serviceAccountName":"a.b-c"})", ""},
        {R"({"serviceAccountName":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})",
         "invalid value: "
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: "
         "spec.template.spec.serviceAccountName\nmust be no more than 253 characters"},
        {R"({"serviceAccountName":"-a"})",
         "invalid value: -a: spec.template.spec.serviceAccountName\na lowercase RFC 1123 subdomain must "
         "consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
         "alphanumeric character (e.g. 'example.com', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
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

struct RevisionNameCase {
  std::string name;
  std::string generate_name;
  std::string want;
};

TEST(RevisionNameTest, OfTheUsers) {
  const std::vector<RevisionNameCase> cases = {
      {"hello-v1", "", ""},
      {"hello-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", ""},
      {"hello-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", "invalid value: not a DNS 1035 label: [must be no more than 63 characters]: "
       "spec.template.metadata.name"},
      {"hello", "", "invalid value: \"hello\" must have prefix \"hello-\": spec.template.metadata.name"},
      {"hello-", "", "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric "
       "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
       "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: "
       "spec.template.metadata.name"},
      {"other-v1", "", "invalid value: \"other-v1\" must have prefix \"hello-\": spec.template.metadata.name"},
      {"Hello-v1", "", "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric "
       "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
       "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: "
       "spec.template.metadata.name"},
      {"hello-v.1", "", "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric "
       "characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. "
       "'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: "
       "spec.template.metadata.name"},
      {"", "hello-", ""},
      {"", "Bad", "invalid value: not a DNS 1035 label prefix: [a DNS-1035 label must consist of lower case "
       "alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric "
       "character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
       "'[a-z]([-a-z0-9]*[a-z0-9])?')]: spec.template.metadata.generateName"},
      {"other-v1", "hello-", "invalid value: \"other-v1\" must have prefix \"hello-\": spec.template.metadata.name"},
  };
  for (const RevisionNameCase& c : cases) {
    Json service = Service();
    Json& metadata = service["spec"]["template"]["metadata"];
    metadata = Json::object();
    if (!c.name.empty()) metadata["name"] = c.name;
    if (!c.generate_name.empty()) metadata["generateName"] = c.generate_name;
    EXPECT_EQ(Verdict(service), c.want) << metadata;
    EXPECT_EQ(Verdict(service, {}, nullptr, "cfg"), c.want) << metadata;
  }
}

TEST(RevisionNameTest, CannotBeKnownBeforeTheServices) {
  Json service = Service();
  service["spec"]["template"]["metadata"]["name"] = "hello-v1";
  service["metadata"]["generateName"] = "hello-";
  EXPECT_EQ(Verdict(service), "") << "it has its name already";
  service["metadata"].erase("name");
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

// What Go prints of values that it holds in a pointer or a struct is left to Go.
TEST(RevisionNameTest, EachChangeIsShown) {
  struct Change {
    const char* at;  // in the template
    const char* value;
    const char* shown;
  };
  Json old = Service();
  old["spec"]["template"]["metadata"]["name"] = "hello-v1";
  const ServingConfig config;
  SetDefaults(KindNamed("ksvc"), old, {.config = &config, .user = "tester"});
  for (const Change& c : {
           Change{"/spec/timeoutSeconds", R"(10)",
                  "*{*v1.RevisionTemplateSpec}.Spec.TimeoutSeconds:\n\t-: \"300\"\n\t+: \"10\"\n"},
           Change{"/spec/containerConcurrency", R"(1)",
                  "*{*v1.RevisionTemplateSpec}.Spec.ContainerConcurrency:\n\t-: \"0\"\n\t+: \"1\"\n"},
           Change{"/spec/serviceAccountName", R"("sa")",
                  "{*v1.RevisionTemplateSpec}.Spec.PodSpec.ServiceAccountName:\n\t-: \"\"\n\t+: \"sa\"\n"},
           Change{"/spec/containers/0/imagePullPolicy", R"("Always")",
                  "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].ImagePullPolicy:\n\t-: \"\"\n\t+: "
                  "\"Always\"\n"},
           Change{"/spec/containers/0/command", R"(["a","b"])",
                  "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].Command:\n\t-: \"[]\"\n\t+: \"[a "
                  "b]\"\n"},
           Change{"/metadata/annotations", R"({"a":"b","c":"d"})",
                  "{*v1.RevisionTemplateSpec}.ObjectMeta.Annotations:\n\t-: \"map[]\"\n\t+: \"map[a:b c:d]\"\n"},
           Change{"/metadata/labels", R"({"a":"b"})",
                  "{*v1.RevisionTemplateSpec}.ObjectMeta.Labels:\n\t-: \"map[]\"\n\t+: \"map[a:b]\"\n"},
           Change{"/spec/containers/0/readinessProbe/successThreshold", R"(2)",
                  "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].ReadinessProbe.SuccessThreshold:\n\t-"
                  ": \"1\"\n\t+: \"2\"\n"},
           Change{"/spec/containers/0/readinessProbe/initialDelaySeconds", R"(5)",
                  "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].ReadinessProbe.InitialDelaySeconds:"
                  "\n\t-: \"0\"\n\t+: \"5\"\n"},
           Change{"/spec/enableServiceLinks", R"(true)",
                  "*{*v1.RevisionTemplateSpec}.Spec.PodSpec.EnableServiceLinks:\n\t-: \"false\"\n\t+: "
                  "\"true\"\n"},
       }) {
    Json changed = old;
    changed["spec"]["template"][Json::json_pointer(c.at)] = Json::parse(c.value);
    EXPECT_EQ(Verdict(changed, {}, &old),
              "Saw the following changes without a name change (-old +new): spec.template.metadata.name\n" +
                  std::string(c.shown));
  }
}

// Nothing has changed that Go would not see.
TEST(RevisionNameTest, TheFormOfATemplateDoesNotCount) {
  Json old = WithContainer(R"({"resources":{"limits":{"cpu":"1000m","memory":"1024Ki"}},"ports":[{"containerPort":80}]})");
  old["spec"]["template"]["metadata"]["name"] = "hello-v1";
  const ServingConfig config;
  SetDefaults(KindNamed("ksvc"), old, {.config = &config, .user = "tester"});
  Json same = old;
  Json& container = same["spec"]["template"]["spec"]["containers"][0];
  container["resources"]["limits"] = {{"cpu", 1}, {"memory", "1Mi"}};
  container["stdin"] = false;
  container["ports"][0].erase("protocol");
  EXPECT_EQ(Verdict(same, {}, &old), "");
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
