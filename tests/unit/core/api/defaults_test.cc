#include "core/api/defaults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/meta.h"
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
      R"({"failureThreshold":3,"httpGet":{"path":"/"},"periodSeconds":1,"successThreshold":1,"timeoutSeconds":1})");
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

TEST(ServingConfigTest, RefusesWhatKnativeRefuses) {
  struct Case {
    const char* map;
    const char* data;
    const char* error;
  };
  for (const Case& c :
       {Case{"config-defaults", R"({"revision-timeout-seconds":"x"})",
             "failed to parse \"revision-timeout-seconds\": strconv.ParseInt: "
             "parsing \"x\": invalid syntax"},
        Case{"config-defaults", R"({"revision-timeout-seconds":"700"})",
             "revision-timeout-seconds (700) cannot be greater than "
             "max-revision-timeout-seconds (600)"},
        Case{"config-defaults", R"({"container-concurrency":"2000"})",
             "expected 0 <= 2000 <= 1000: container-concurrency"},
        Case{"config-defaults", R"({"container-concurrency-max-limit":"0"})",
             "expected 1 <= 0 <= 2147483647: container-concurrency-max-limit"},
        Case{"config-defaults", R"({"revision-idle-timeout-seconds":"301"})",
             "revision-idle-timeout-seconds (301) cannot be greater than "
             "revision-timeout-seconds (300)"},
        Case{"config-defaults", R"({"revision-cpu-request":"x"})",
             "failed to parse \"revision-cpu-request\": quantities must match the "
             "regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        Case{"config-autoscaler", R"({"allow-zero-initial-scale":"maybe"})",
             "failed to parse data: failed to parse \"allow-zero-initial-scale\": "
             "strconv.ParseBool: "
             "parsing \"maybe\": invalid syntax"},
        Case{"config-autoscaler", R"({"max-scale-up-rate":"fast"})",
             "failed to parse data: failed to parse \"max-scale-up-rate\": "
             "strconv.ParseFloat: parsing \"fast\": invalid syntax"},
        Case{"config-autoscaler", R"({"min-scale":"4294967296"})",
             "failed to parse data: failed to parse \"min-scale\": "
             "strconv.ParseInt: parsing \"4294967296\": value out of range"},
        Case{"config-autoscaler", R"({"stable-window":"60"})",
             "failed to parse data: failed to parse \"stable-window\": time: "
             "missing unit in duration \"60\""},
        Case{"config-autoscaler", R"({"scale-to-zero-grace-period":"0s"})",
             "scale-to-zero-grace-period must be positive, was: 0s"},
        Case{"config-autoscaler", R"({"scale-down-delay":"-1s"})",
             "scale-down-delay cannot be negative, was: -1s"},
        Case{"config-autoscaler", R"({"scale-down-delay":"1500ms"})",
             "scale-down-delay = 1.5s, must be specified with at most second "
             "precision"},
        Case{"config-autoscaler", R"({"scale-to-zero-pod-retention-period":"-1s"})",
             "scale-to-zero-pod-retention-period cannot be negative, was: -1s"},
        Case{"config-autoscaler", R"({"target-burst-capacity":"-2"})",
             "target-burst-capacity must be either non-negative or -1 (for "
             "unlimited), was: -2.000000"},
        Case{"config-autoscaler", R"({"container-concurrency-target-percentage":"101"})",
             "container-concurrency-target-percentage = 1.010000 is outside of "
             "valid range of (0, 100]"},
        Case{"config-autoscaler", R"({"container-concurrency-target-default":"0.01"})",
             "container-concurrency-target-percentage and "
             "container-concurrency-target-default yield target concurrency of "
             "0.006999999999999999, can't be less than 0.01"},
        Case{"config-autoscaler", R"({"requests-per-second-target-default":"0"})",
             "requests-per-second-target-default must be at least 0.01, was: 0"},
        Case{"config-autoscaler", R"({"activator-capacity":"0.5"})",
             "activator-capacity = 0.5, must be at least 1"},
        Case{"config-autoscaler", R"({"max-scale-up-rate":"1"})",
             "max-scale-up-rate = 1, must be greater than 1.0"},
        Case{"config-autoscaler", R"({"max-scale-down-rate":"-55"})",
             "max-scale-down-rate = -55, must be greater than 1.0"},
        Case{"config-autoscaler", R"({"stable-window":"5s"})",
             "stable-window = 5s, must be in [6s; 1h0m0s] range"},
        Case{"config-autoscaler", R"({"stable-window":"61984ms"})",
             "stable-window = 1m1.984s, must be specified with at most second "
             "precision"},
        Case{"config-autoscaler", R"({"panic-window-percentage":"110"})",
             "panic-window-percentage = 110, must be in [1, 100] interval"},
        Case{"config-autoscaler", R"({"initial-scale":"0"})",
             "initial-scale = 0, must be at least 0 (or at least 1 when "
             "allow-zero-initial-scale is false)"},
        Case{"config-autoscaler", R"({"min-scale":"-1"})", "min-scale = -1, must be at least 0"},
        Case{"config-autoscaler", R"({"max-scale-limit":"10"})",
             "max-scale = 0, must be in [1, max-scale-limit(10)] range"},
        Case{"config-autoscaler", R"({"min-scale":"5","max-scale":"3"})",
             "min-scale (5) must be less than max-scale (3)"},
        Case{"config-autoscaler", R"({"max-scale-limit":"-1"})",
             "max-scale-limit = -1, must be at least 0"}}) {
    ServingConfig config;
    const Status status = ApplyConfigMap(c.map, Json::parse(c.data), config);
    ASSERT_FALSE(status) << c.data;
    EXPECT_EQ(status.error().message, c.error);
  }
}

TEST(ServingConfigTest, FeaturesAreReadLoosely) {
  const Features features = Features::Parse(Json::parse(
      R"({"multi-container":"disabled","kubernetes.podspec-affinity":"ALLOWED","x":"y","secure-pod-defaults":"allowrootbounded"})"));
  EXPECT_TRUE(features.Disabled("multi-container"));
  EXPECT_EQ(features.Get("kubernetes.podspec-affinity"), Flag::kAllowed);
  EXPECT_TRUE(features.Enabled("kubernetes.podspec-volumes-emptydir"));
  EXPECT_TRUE(features.SecureDefaults());
}

}  // namespace
}  // namespace updraft::api
