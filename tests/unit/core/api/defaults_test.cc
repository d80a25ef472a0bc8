#include "core/api/defaults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/api/config_example.h"
#include "core/api/meta.h"
#include "core/api/read.h"
#include "core/api/schema.h"
#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

Json Defaulted(Json object, const ServingConfig& config = {}, const Json* old = nullptr,
               std::string_view kind = "ksvc") {
  const WriteContext context{.config = &config, .user = "tester", .old = old};
  SetDefaults(KindNamed(kind), object, context);
  return object;
}

const Json& SpecOf(const Json& service) { return service["spec"]["template"]["spec"]; }

TEST(DefaultsTest, AMinimalServiceIsFilledInAsKnativeDoes) {
  const Json service = Defaulted(Service());
  EXPECT_EQ(
      service["spec"].dump(),
      R"({"template":{"spec":{"containerConcurrency":0,"containers":[{"image":"gcr.io/a/hello","name":"user-container",)"
      R"("readinessProbe":{"successThreshold":1,"tcpSocket":{"port":0}},"resources":{}}],"enableServiceLinks":false,)"
      R"("timeoutSeconds":300}},"traffic":[{"latestRevision":true,"percent":100}]})");
  EXPECT_EQ(AnnotationOf(service, "serving.knative.dev/creator"), "tester");
  EXPECT_EQ(AnnotationOf(service, "serving.knative.dev/lastModifier"), "tester");
}

TEST(DefaultsTest, ASecondTimeChangesNothing) {
  const Json once = Defaulted(Service());
  EXPECT_EQ(Defaulted(once, {}, &once), once);
}

TEST(DefaultsTest, UsersValuesStay) {
  const Json service = Defaulted(WithSpec(
      R"({"containerConcurrency":5,"timeoutSeconds":30,"responseStartTimeoutSeconds":10,"enableServiceLinks":true})"));
  EXPECT_EQ(SpecOf(service)["containerConcurrency"], 5);
  EXPECT_EQ(SpecOf(service)["timeoutSeconds"], 30);
  EXPECT_EQ(SpecOf(service)["responseStartTimeoutSeconds"], 10);
  EXPECT_EQ(SpecOf(service)["enableServiceLinks"], true);
}

TEST(DefaultsTest, AZeroTimeoutIsTheDefault) {
  EXPECT_EQ(SpecOf(Defaulted(WithSpec(R"({"timeoutSeconds":0})")))["timeoutSeconds"], 300);
}

TEST(DefaultsTest, ShorterTimeoutsAreSetOnlyBelowTheTotal) {
  ServingConfig config;
  config.defaults.response_start_timeout_seconds = 100;
  config.defaults.idle_timeout_seconds = 50;
  const Json service = Defaulted(Service(), config);
  EXPECT_EQ(SpecOf(service)["responseStartTimeoutSeconds"], 100);
  EXPECT_EQ(SpecOf(service)["idleTimeoutSeconds"], 50);
  const Json shorter = Defaulted(WithSpec(R"({"timeoutSeconds":40})"), config);
  EXPECT_FALSE(SpecOf(shorter).contains("responseStartTimeoutSeconds"));
  EXPECT_FALSE(SpecOf(shorter).contains("idleTimeoutSeconds"));
}

TEST(DefaultsTest, ContainersGetNamesThatDoNotClash) {
  const Json service = Defaulted(WithSpec(
      R"({"containers":[{"image":"a/b","ports":[{"containerPort":80}]},{"image":"a/c","name":"user-container-0"},{"image":"a/d"}]})"));
  EXPECT_EQ(SpecOf(service)["containers"][0]["name"], "user-container-1");
  EXPECT_EQ(SpecOf(service)["containers"][2]["name"], "user-container-2");
  EXPECT_TRUE(SpecOf(service)["containers"][0].contains("readinessProbe"));
  EXPECT_FALSE(SpecOf(service)["containers"][1].contains("readinessProbe"));
}

TEST(DefaultsTest, ProbesGetKubernetesNumbersOnlyWithAPeriod) {
  const Json periodic =
      Defaulted(WithContainer(R"({"readinessProbe":{"httpGet":{"path":"/"},"periodSeconds":1}})"));
  const Json& probe = SpecOf(periodic)["containers"][0]["readinessProbe"];
  EXPECT_EQ(
      probe.dump(),
      R"({"failureThreshold":3,"httpGet":{"path":"/","port":0},"periodSeconds":1,"successThreshold":1,"timeoutSeconds":1})");
  const Json grpc = Defaulted(
      WithContainer(R"({"readinessProbe":{"grpc":{}},"livenessProbe":{"grpc":{"port":5}}})"));
  EXPECT_EQ(SpecOf(grpc)["containers"][0]["readinessProbe"]["grpc"]["service"], "");
  EXPECT_EQ(SpecOf(grpc)["containers"][0]["livenessProbe"]["grpc"]["service"], "");
}

TEST(DefaultsTest, MountsAreReadOnlyUnlessTheVolumeIsTheInstancesOwn) {
  const Json service = Defaulted(
      WithSpec(R"({"volumes":[{"name":"s","secret":{"secretName":"x"}},{"name":"e","emptyDir":{}}],
      "containers":[{"image":"a/b","volumeMounts":[{"name":"s","mountPath":"/s"},{"name":"e","mountPath":"/e"}]}]})"));
  const Json& mounts = SpecOf(service)["containers"][0]["volumeMounts"];
  EXPECT_EQ(mounts[0]["readOnly"], true);
  EXPECT_FALSE(mounts[1].contains("readOnly"));
}

// Each of the six keys of config-defaults fills in one amount that the container does not say (reference 1.4).
TEST(DefaultsTest, EveryResourceHasAKey) {
  for (const std::string resource : {"cpu", "memory", "ephemeral-storage"}) {
    for (const std::string side : {"request", "limit"}) {
      ServingConfig config;
      const std::string key = "revision-" + resource + "-" + side;
      ASSERT_TRUE(ApplyConfigMap("config-defaults", {{key, "5"}}, config)) << key;
      const Json service = Defaulted(Service(), config);
      EXPECT_EQ(SpecOf(service)["containers"][0]["resources"], (Json{{side + "s", {{resource, "5"}}}})) << key;
      const std::string own = R"({"resources":{")" + side + R"(s":{")" + resource + R"(":"7"}}})";
      EXPECT_EQ(SpecOf(Defaulted(WithContainer(own), config))["containers"][0]["resources"],
                (Json{{side + "s", {{resource, "7"}}}}))
          << key;
    }
  }
}

TEST(DefaultsTest, ResourcesComeFromTheConfiguration) {
  ServingConfig config;
  ASSERT_TRUE(ApplyConfigMap(
      "config-defaults",
      Json::parse(
          R"({"revision-cpu-request":"100m","revision-memory-limit":"1Gi","container-concurrency":"7"})"),
      config));
  const Json service =
      Defaulted(WithContainer(R"({"resources":{"limits":{"memory":"64Mi"}}})"), config);
  EXPECT_EQ(SpecOf(service)["containers"][0]["resources"].dump(),
            R"({"limits":{"memory":"64Mi"},"requests":{"cpu":"100m"}})");
  EXPECT_EQ(SpecOf(service)["containerConcurrency"], 7);
}

TEST(DefaultsTest, SecureDefaultsFillTheSecurityContext) {
  const Json service = Defaulted(WithContainer(R"({"ports":[{"containerPort":80}]})"),
                                 WithFeature("secure-pod-defaults"));
  EXPECT_EQ(
      SpecOf(service)["containers"][0]["securityContext"].dump(),
      R"({"allowPrivilegeEscalation":false,"capabilities":{"add":["NET_BIND_SERVICE"],"drop":["ALL"]},"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}})");
  const Json bounded =
      Defaulted(Service(), WithFeature("secure-pod-defaults", Flag::kAllowRootBounded));
  EXPECT_FALSE(SpecOf(bounded)["containers"][0]["securityContext"].contains("runAsNonRoot"));
}

// What the user has set is left as it is, also in the pod's security context (reference 1.4).
TEST(DefaultsTest, SecureDefaultsFillInOnlyWhatIsEmpty) {
  const ServingConfig secure = WithFeature("secure-pod-defaults");
  const auto security = [&secure](const std::string& container, const std::string& pod = "{}") {
    Json service = WithContainer(container);
    Json& spec = service["spec"]["template"]["spec"];
    spec = MergePatch(spec, Json::parse(pod));
    return SpecOf(Defaulted(service, secure))["containers"][0]["securityContext"].dump();
  };
  EXPECT_EQ(
      security(
          R"({"securityContext":{"allowPrivilegeEscalation":true,"runAsNonRoot":false,"capabilities":{},"seccompProfile":{"type":"Unconfined"}}})"),
      R"({"allowPrivilegeEscalation":true,"capabilities":{},"runAsNonRoot":false,"seccompProfile":{"type":"Unconfined"}})");
  EXPECT_EQ(
      security("{}", R"({"securityContext":{"runAsNonRoot":false,"seccompProfile":{"type":"Unconfined"}}})"),
      R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}})");
  EXPECT_EQ(
      security(R"({"securityContext":{"seccompProfile":{"type":""}},"ports":[{"containerPort":1024}]})"),
      R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}})");
  EXPECT_EQ(
      security(R"({"ports":[{"containerPort":1023}]})"),
      R"({"allowPrivilegeEscalation":false,"capabilities":{"add":["NET_BIND_SERVICE"],"drop":["ALL"]},"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}})");
  EXPECT_FALSE(SpecOf(Defaulted(Service()))["containers"][0].contains("securityContext"));
  ServingConfig with_init = secure;
  with_init.features.Set("kubernetes.podspec-init-containers", Flag::kEnabled);
  const Json service = Defaulted(WithSpec(R"({"initContainers":[{"image":"a/b"}]})"), with_init);
  EXPECT_EQ(SpecOf(service)["initContainers"][0]["securityContext"]["runAsNonRoot"], true);
}

TEST(DefaultsTest, InitContainersGetNamesOfTheirOwn) {
  const Json one = Defaulted(WithSpec(R"({"initContainers":[{"image":"a/b"}]})"));
  EXPECT_EQ(SpecOf(one)["initContainers"][0]["name"], "init-container");
  const Json two = Defaulted(WithSpec(R"({"initContainers":[{"image":"a/b"},{"image":"a/c"}]})"));
  EXPECT_EQ(SpecOf(two)["initContainers"][0]["name"], "init-container-0");
  EXPECT_EQ(SpecOf(two)["initContainers"][1]["name"], "init-container-1");
}

// Links are defaulted when a Service is made, and only as config-defaults says (reference 1.4).
TEST(DefaultsTest, ServiceLinks) {
  for (const auto& [value, want] : std::vector<std::pair<std::string, Json>>{
           {"true", true}, {"FALSE", false}, {"default", nullptr}}) {
    ServingConfig config;
    ASSERT_TRUE(ApplyConfigMap("config-defaults", {{"enable-service-links", value}}, config));
    const Json service = Defaulted(Service(), config);
    EXPECT_EQ(SpecOf(service).value("enableServiceLinks", Json()), want) << value;
  }
  Json old = Defaulted(Service());
  old["spec"]["template"]["spec"].erase("enableServiceLinks");
  EXPECT_FALSE(SpecOf(Defaulted(Service(), {}, &old)).contains("enableServiceLinks"));
}

// Mounts of a claim or of an ephemeral volume may be written to as well (reference 1.4).
TEST(DefaultsTest, WhichMountsAreReadOnly) {
  for (const auto& [source, read_only] : std::vector<std::pair<std::string, bool>>{
           {R"("secret":{})", true}, {R"("configMap":{})", true}, {R"("projected":{})", true},
           {R"("emptyDir":{})", false}, {R"("persistentVolumeClaim":{"claimName":"c"})", false},
           {R"("ephemeral":{})", false}, {R"("hostPath":{"path":"/"})", true}, {R"("csi":{"driver":"d"})", true},
           {R"("image":{"reference":"a/b"})", true}}) {
    const Json service = Defaulted(WithSpec(
        R"({"volumes":[{"name":"v",)" + source +
        R"(}],"containers":[{"image":"a/b","volumeMounts":[{"name":"v","mountPath":"/v","readOnly":false}]}]})"));
    EXPECT_EQ(SpecOf(service)["containers"][0]["volumeMounts"][0].value("readOnly", false), read_only) << source;
  }
}

TEST(DefaultsTest, TrafficTargetsAreCompleted) {
  const Json service =
      Defaulted(WithTraffic(R"([{"percent":100},{"revisionName":"hello-1","tag":"old"}])"));
  EXPECT_EQ(
      service["spec"]["traffic"].dump(),
      R"([{"latestRevision":true,"percent":100},{"latestRevision":false,"percent":0,"revisionName":"hello-1","tag":"old"}])");
  Json route = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Route","metadata":{"name":"r"},"spec":{}})");
  EXPECT_FALSE(Defaulted(route, {}, nullptr, "rt")["spec"].contains("traffic"));
}

TEST(DefaultsTest, LastModifierFollowsTheSpecAlone) {
  ServingConfig config;
  Json old = Defaulted(Service());
  SetAnnotation(old, "serving.knative.dev/lastModifier", "another");
  Json labelled = old;
  SetLabel(labelled, "a", "b");
  EXPECT_EQ(AnnotationOf(Defaulted(labelled, config, &old), "serving.knative.dev/lastModifier"),
            "another");
  Json changed = old;
  changed["spec"]["template"]["spec"]["timeoutSeconds"] = 10;
  EXPECT_EQ(AnnotationOf(Defaulted(changed, config, &old), "serving.knative.dev/lastModifier"),
            "tester");
}

// New defaults of the configuration are no change of whoever writes next.
TEST(DefaultsTest, LastModifierDoesNotFollowTheConfiguration) {
  Json old = Defaulted(Service());
  SetAnnotation(old, "serving.knative.dev/lastModifier", "another");
  const Json written = Defaulted(old, WithFeature("secure-pod-defaults"), &old);
  EXPECT_TRUE(SpecOf(written)["containers"][0].contains("securityContext"));
  EXPECT_EQ(AnnotationOf(written, "serving.knative.dev/lastModifier"), "another");
}

TEST(DefaultsTest, OwnedObjectsKeepTheAnnotationsOfTheirOwner) {
  Json route = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Route","metadata":{"name":"r","ownerReferences":[{"uid":"1"}]},"spec":{}})");
  EXPECT_EQ(AnnotationOf(Defaulted(route, {}, nullptr, "rt"), "serving.knative.dev/creator"), "");
}

TEST(DefaultsTest, AManifestAppliedAgainUnderItsRevisionNameChangesNothing) {
  Json manifest = Service();
  manifest["spec"]["template"]["metadata"]["name"] = "hello-one";
  const Json stored = Defaulted(manifest);
  Json again = Defaulted(manifest, {}, &stored);
  EXPECT_EQ(again["spec"], stored["spec"]);
  // Nor does it where the stored template has another form.
  Json other = stored;
  Json& container = other["spec"]["template"]["spec"]["containers"][0];
  container["stdin"] = false;
  container.erase("resources");
  EXPECT_EQ(Defaulted(manifest, {}, &other)["spec"], stored["spec"]);
  manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "gcr.io/a/other";
  EXPECT_FALSE(SpecOf(Defaulted(manifest, {}, &stored)).contains("timeoutSeconds"));
}

TEST(DefaultsTest, RevisionsAreDefaultedOnCreationAlone) {
  Json revision = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Revision","metadata":{"name":"r"},"spec":{"containers":[{"image":"a/b"}]}})");
  const Json created = Defaulted(revision, {}, nullptr, "rev");
  EXPECT_EQ(created["spec"]["timeoutSeconds"], 300);
  EXPECT_FALSE(Defaulted(revision, {}, &created, "rev")["spec"].contains("timeoutSeconds"));
}

TEST(DefaultsTest, CoreKinds) {
  const Json secret = Defaulted(
      Json::parse(
          R"({"metadata":{"name":"s"},"stringData":{"a":"hello"},"data":{"a":"eA==","b":"eQ=="}})"),
      {}, nullptr, "secret");
  EXPECT_EQ(secret["data"].dump(), R"({"a":"aGVsbG8=","b":"eQ=="})");
  EXPECT_EQ(secret["type"], "Opaque");
  EXPECT_FALSE(secret.contains("stringData"));
  const Json space = Defaulted(Json::parse(R"({"metadata":{"name":"n"}})"), {}, nullptr, "ns");
  EXPECT_EQ(space["status"]["phase"], "Active");
  EXPECT_EQ(LabelOf(space, "kubernetes.io/metadata.name"), "n");
}

TEST(DefaultsTest, ContainersAreNamedByTheTemplate) {
  ServingConfig config;
  ASSERT_TRUE(ApplyConfigMap("config-defaults",
                             {{"container-name-template", "{{.Name}}-{{.Labels.tier}}"},
                              {"init-container-name-template", "init-{{.Namespace}}"}},
                             config));
  config.features.Set("kubernetes.podspec-init-containers", Flag::kEnabled);
  Json service = WithSpec(R"({"initContainers":[{"image":"a/b"}]})");
  SetLabel(service, "tier", "front");
  SetDefaults(KindNamed("ksvc"), service, {.config = &config, .user = "tester"});
  const Json& spec = service["spec"]["template"]["spec"];
  EXPECT_EQ(spec["containers"][0]["name"], "hello-front");
  EXPECT_EQ(spec["initContainers"][0]["name"], "init-default");
}

// ---- what the documents show

std::string ReadDocument(const std::string& name) {
  std::ifstream in(std::string(UPDRAFT_ROOT) + "/docs/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(DocumentsTest, EveryKeyIsInTheTableAsItIs) {
  const std::string text = ReadDocument("configuration.md");
  for (const DocumentedKey& key : DocumentedKeys()) {
    const std::string value = key.value.empty() ? "" : "`" + std::string(key.value) + "`";
    const std::string row =
        "| `" + std::string(key.key) + "` | " + value + " | " + std::string(key.help) + " |\n";
    EXPECT_NE(text.find(row), std::string::npos) << "docs/configuration.md: " << row;
  }
}

TEST(DocumentsTest, WhatTheReferenceShowsIsTaken) {
  int shown = 0;
  for (const char* name : {"reference.md", "configuration.md"}) {
    const std::string text = ReadDocument(name);
    for (size_t at = text.find("```yaml\n"); at != std::string::npos;
         at = text.find("```yaml\n", at + 1)) {
      const size_t begin = at + 8;
      const auto documents = ReadYaml(text.substr(begin, text.find("```", begin) - begin));
      ASSERT_TRUE(documents) << documents.error().message;
      for (const Document& document : *documents) {
        Json object = document.value;
        const Kind* kind = FindKind(ApiVersionOf(object), KindOf(object));
        ASSERT_NE(kind, nullptr) << object;
        const SchemaFindings findings = Conform(*kind->schema, object);
        EXPECT_THAT(findings.unknown, testing::IsEmpty());
        EXPECT_TRUE(findings.problems.empty());
        EXPECT_TRUE(ValidateKubernetes(*kind, object, nullptr).empty()) << object;
        EXPECT_EQ(Verdict(object, {}, nullptr, kind->QualifiedResource()), "") << object;
        if (KindOf(object) == "ConfigMap") {
          EXPECT_TRUE(CheckConfigMap(object)) << object;
        }
        ++shown;
      }
    }
  }
  EXPECT_GE(shown, 4);
}

}  // namespace
}  // namespace updraft::api
