#include "controller/api_server/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/api_server/api_error.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const api::Kind& Ksvc() { return *api::FindByUserName("ksvc"); }
const api::Kind& Cm() { return *api::FindByUserName("cm"); }

AdmissionContext Context(const api::Kind& kind,
                         FieldValidation validation = FieldValidation::kWarn) {
  return {.kind = &kind,
          .config = {},
          .user = "tester",
          .field_validation = validation,
          .now = WallTime(Seconds(1'700'000'000))};
}

api::Document Service() {
  return {
      .value = Json::parse(
          R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"hello"},
      "spec":{"template":{"spec":{"containers":[{"image":"a/b"}]}}}})")};
}

Json StoredService() {
  Json stored = AdmitCreate(Context(Ksvc()), "default", Service(), "uid-1")->object;
  stored["metadata"]["resourceVersion"] = "7";
  return stored;
}

TEST(AdmitCreateTest, SetsSystemMetadata) {
  const auto admitted = AdmitCreate(Context(Ksvc()), "default", Service(), "uid-1");
  ASSERT_TRUE(admitted);
  EXPECT_EQ(api::UidOf(admitted->object), "uid-1");
  EXPECT_EQ(api::StringAt(admitted->object, {"metadata", "creationTimestamp"}),
            "2023-11-14T22:13:20Z");
  EXPECT_EQ(api::GenerationOf(admitted->object), 1);
  EXPECT_EQ(api::NamespaceOf(admitted->object), "default");
  EXPECT_THAT(admitted->warnings, Contains(HasSubstr("Kubernetes default value is insecure")));
}

TEST(AdmitCreateTest, RefusesWhatIsNotThere) {
  struct Case {
    const char* object;
    int code;
    const char* message;
  };
  for (
      const Case& c :
      {Case{R"([])", 400, "not an object"},
       Case{R"({"apiVersion":"v1"})", 400, "Object 'Kind' is missing"},
       Case{R"({"kind":"Service"})", 400, "Object 'apiVersion' is missing"},
       Case{R"({"apiVersion":"v1","kind":"Service"})", 400,
            "the API version in the data (v1) does not match the expected API version "
            "(serving.knative.dev/v1)"},
       Case{R"({"apiVersion":"serving.knative.dev/v1","kind":"Route"})", 400,
            "the kind in the data (Route) does not match"},
       Case{
           R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"namespace":"x"}})",
           400, "does not match the namespace"},
       Case{R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":[]})", 422,
            "metadata in body must be of type object"},
       Case{
           R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"resourceVersion":"5"}})",
           400, "resourceVersion should not be set"},
       Case{
           R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"a","labels":{"a b":"c"}}})",
           422, "metadata.labels"}}) {
    const auto admitted =
        AdmitCreate(Context(Ksvc()), "default", {.value = Json::parse(c.object)}, "u");
    ASSERT_FALSE(admitted) << c.object;
    EXPECT_EQ(admitted.error().code, c.code) << c.object;
    EXPECT_THAT(admitted.error().message, HasSubstr(c.message));
  }
}

// What a client reads when Knative's rules are broken: the webhook's name, all errors with their details, and 400.
TEST(AdmitCreateTest, RefusesInTheWordsOfKnativesWebhook) {
  api::Document document = Service();
  document.value["spec"]["traffic"] = Json::parse(R"([{"percent":60},{"percent":60}])");
  document.value["spec"]["template"]["spec"]["timeoutSeconds"] = 601;
  document.value["spec"]["template"]["spec"]["containers"][0]["ports"] = Json::parse(R"([{"name":"grpc"}])");
  document.value["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"] = "x";
  const auto admitted = AdmitCreate(Context(Ksvc()), "default", document, "u");
  ASSERT_FALSE(admitted);
  EXPECT_EQ(admitted.error().code, 400);
  EXPECT_EQ(admitted.error().reason, "BadRequest");
  EXPECT_TRUE(admitted.error().details.is_null());
  EXPECT_EQ(admitted.error().message,
            "admission webhook \"validation.webhook.serving.knative.dev\" denied the request: validation failed: "
            "Port name grpc is not allowed: spec.template.spec.containers[0].ports\n"
            "Name must be empty, or one of: 'h2c', 'http1'\n"
            "Traffic targets sum to 120, want 100: spec.traffic\n"
            "expected 0 <= 601 <= 600: spec.template.spec.timeoutSeconds\n"
            "invalid value: x: spec.template.metadata.annotations.autoscaling.knative.dev/min-scale");
}

TEST(AdmitCreateTest, RefusesConfigMapsInTheWordsOfTheirWebhook) {
  api::Document document = {.value = Json::parse(R"({"apiVersion":"v1","kind":"ConfigMap",
      "metadata":{"name":"config-defaults"},"data":{"revision-timeout-seconds":"700"}})")};
  const auto admitted = AdmitCreate(Context(Cm()), "knative-serving", document, "u");
  ASSERT_FALSE(admitted);
  EXPECT_EQ(admitted.error().code, 400);
  EXPECT_EQ(admitted.error().reason, "BadRequest");
  EXPECT_EQ(admitted.error().message,
            "admission webhook \"config.webhook.serving.knative.dev\" denied the request: validation failed: "
            "revision-timeout-seconds (700) cannot be greater than max-revision-timeout-seconds (600)");
  EXPECT_TRUE(AdmitCreate(Context(Cm()), "default", document, "u")) << "an ordinary one of that name";
}

TEST(AdmitCreateTest, WarnsInTheWordsOfKnatives) {
  const auto admitted = AdmitCreate(Context(Ksvc()), "default", Service(), "u");
  ASSERT_TRUE(admitted);
  EXPECT_THAT(admitted->warnings,
              ElementsAre("Kubernetes default value is insecure, Knative may default this to secure in a future "
                          "release: spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation, "
                          "spec.template.spec.containers[0].securityContext.capabilities, "
                          "spec.template.spec.containers[0].securityContext.runAsNonRoot, "
                          "spec.template.spec.containers[0].securityContext.seccompProfile"));
}

// A dry run tries the Pod as well, after Knative's own rules. Otherwise a name that makes no Pod is refused with these.
TEST(AdmitCreateTest, ADryRunTriesThePod) {
  const auto verdict = [](const char* container, bool dry_run) -> std::string {
    api::Document document = Service();
    document.value["spec"]["template"]["spec"]["containers"][0].merge_patch(Json::parse(container));
    AdmissionContext context = Context(Ksvc());
    context.dry_run = dry_run;
    const auto admitted = AdmitCreate(context, "default", document, "u");
    if (admitted) return "";
    EXPECT_EQ(admitted.error().code, 400);
    EXPECT_EQ(admitted.error().reason, "BadRequest");
    return admitted.error().message;
  };
  const std::string denied = "admission webhook \"validation.webhook.serving.knative.dev\" denied the request: ";
  const std::string tried = denied + "validation callback failed: dry run failed with Pod \"dry-run-validation";
  const std::string label =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
      "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  struct Case {
    const char* container;
    std::string why;
  };
  for (const Case& c :
       {Case{R"({"name":"&InvalidValue"})", "spec.containers[0].name: Invalid value: \"&InvalidValue\": " + label},
        Case{R"({"imagePullPolicy":"Sometimes"})",
             "spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", "
             "\"IfNotPresent\", \"Never\""},
        Case{R"({"env":[{"name":"a=b"}]})",
             "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist "
             "only of printable ASCII characters other than '='"},
        Case{R"({"resources":{"requests":{"cpu":"1500m"},"limits":{"cpu":1}}})",
             "spec.containers[0].resources.requests: Invalid value: \"1500m\": must be less than or equal to cpu "
             "limit of 1"},
        Case{R"({"imagePullPolicy":"X","resources":{"limits":{"cpu":"-1"}}})",
             "[spec.containers[0].imagePullPolicy: Unsupported value: \"X\": supported values: \"Always\", "
             "\"IfNotPresent\", \"Never\", spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be "
             "greater than or equal to 0]"}}) {
    const std::string message = verdict(c.container, true);
    EXPECT_EQ(message.substr(0, tried.size()), tried) << message;
    EXPECT_THAT(message, testing::EndsWith("\" is invalid: " + c.why + ": spec.template"));
  }
  EXPECT_EQ(verdict("{}", true), "");
  EXPECT_EQ(verdict(R"({"name":"&InvalidValue","image":""})", true),
            denied + "validation failed: missing field(s): spec.template.spec.containers[0].image");
  EXPECT_EQ(verdict(R"({"name":"&InvalidValue"})", false),
            denied + "validation failed: invalid value: &InvalidValue: spec.template.spec.containers[0].name\n" + label);
}

TEST(AdmitCreateTest, WrongTypesAreCauses) {
  api::Document document = Service();
  document.value["spec"]["template"]["spec"]["timeoutSeconds"] = "x";
  const auto admitted = AdmitCreate(Context(Ksvc()), "default", document, "u");
  ASSERT_FALSE(admitted);
  EXPECT_EQ(admitted.error().message,
            "Service.serving.knative.dev \"hello\" is invalid: spec.template.spec.timeoutSeconds: "
            "Invalid value: \"string\": "
            "spec.template.spec.timeoutSeconds in body must be of type integer: \"string\"");
  EXPECT_EQ(admitted.error().details["causes"][0]["field"], "spec.template.spec.timeoutSeconds");
}

TEST(AdmitCreateTest, UnknownFieldsAreJudgedByTheClientsWish) {
  api::Document document = Service();
  document.value["spec"]["a"] = 1;
  document.duplicates = {"spec.b"};
  EXPECT_THAT(
      AdmitCreate(Context(Ksvc(), FieldValidation::kStrict), "default", document, "u")
          .error()
          .message,
      HasSubstr("strict decoding error: duplicate field \"spec.b\", unknown field \"spec.a\""));
  const auto warned =
      AdmitCreate(Context(Ksvc(), FieldValidation::kWarn), "default", document, "u");
  EXPECT_THAT(warned->warnings, Contains("unknown field \"spec.a\""));
  const auto ignored =
      AdmitCreate(Context(Ksvc(), FieldValidation::kIgnore), "default", document, "u");
  EXPECT_THAT(ignored->warnings, testing::Not(Contains(HasSubstr("unknown"))));
  EXPECT_FALSE(ignored->object["spec"].contains("a"));
}

TEST(AdmitCreateTest, NamesToBeGeneratedAreJudgedByAnExample) {
  Json map =
      Json::parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"a-"}})");
  auto admitted = AdmitCreate(Context(Cm()), "default", {.value = map}, "u");
  ASSERT_TRUE(admitted);
  EXPECT_EQ(api::NameOf(admitted->object), "");
  CompleteName(admitted->object, 1);
  EXPECT_EQ(api::NameOf(admitted->object), "a-cbbbb");
  map["metadata"]["generateName"] = "A";
  EXPECT_FALSE(AdmitCreate(Context(Cm()), "default", {.value = map}, "u"));
}

TEST(AdmitUpdateTest, SystemMetadataAndStatusStay) {
  const Json old = StoredService();
  Json next = old;
  next["metadata"]["generation"] = 99;
  next["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z";
  next["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z";
  next["metadata"]["managedFields"] = Json::array();
  next["status"] = {{"url", "x"}};
  const auto admitted = AdmitUpdate(Context(Ksvc()), old, {.value = next});
  ASSERT_TRUE(admitted) << admitted.error().message;
  EXPECT_EQ(admitted->object, old);
}

TEST(AdmitUpdateTest, GenerationsCountChangesOfTheSpec) {
  const Json old = StoredService();
  Json next = old;
  next["metadata"]["annotations"]["a"] = "b";
  EXPECT_EQ(api::GenerationOf(AdmitUpdate(Context(Ksvc()), old, {.value = next})->object), 1);
  next["spec"]["template"]["spec"]["timeoutSeconds"] = 5;
  EXPECT_EQ(api::GenerationOf(AdmitUpdate(Context(Ksvc()), old, {.value = next})->object), 2);
}

TEST(AdmitUpdateTest, OfTheStatusAlone) {
  const Json old = StoredService();
  Json next = old;
  next["spec"] = Json::object();
  next["status"] = {{"url", "x"}, {"nonsense", 1}};
  AdmissionContext context = Context(Ksvc());
  context.subresource = "status";
  const auto admitted = AdmitUpdate(context, old, {.value = next});
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->object["spec"], old["spec"]);
  EXPECT_EQ(admitted->object["status"].dump(), R"({"url":"x"})");
}

TEST(AdmitUpdateTest, NamesCannotChange) {
  const Json old = StoredService();
  Json next = old;
  next["metadata"]["name"] = "other";
  EXPECT_THAT(
      AdmitUpdate(Context(Ksvc()), old, {.value = next}).error().message,
      HasSubstr("the name of the object (other) does not match the name on the URL (hello)"));
}

TEST(ApiErrorTest, StatusesReadLikeKubernetes) {
  EXPECT_EQ(
      ToStatus(NotFound(Ksvc(), "x")).dump(),
      R"({"apiVersion":"v1","code":404,"details":{"group":"serving.knative.dev","kind":"services","name":"x"},"kind":"Status",)"
      R"("message":"services.serving.knative.dev \"x\" not found","metadata":{},"reason":"NotFound","status":"Failure"})");
  EXPECT_EQ(FromStore({Code::kAborted, ""}, Cm(), "x").message,
            "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; "
            "please apply your changes to the latest version and try again");
  EXPECT_EQ(FromStore({Code::kUnavailable, "disk"}, Cm(), "x").code, 503);
  EXPECT_EQ(FromStore({Code::kInvalidArgument, "large"}, Cm(), "x").code, 413);
}

}  // namespace
}  // namespace updraft::controller
