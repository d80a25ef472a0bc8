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

TEST(ServingConfigTest, RefusesTheOtherMapsAsKnativeDoes) {
  struct Case {
    const char* map;
    const char* key;
    const char* value;
    const char* error;  // empty: taken
  };
  for (const Case& c : {
           Case{"config-defaults", "container-name-template", "{{.Name}",
                "template: container-template:1: bad character U+007D '}'"},
           Case{"config-defaults", "container-name-template", "{{.Nom}}",
                "error executing template: template: container-template:1:2: executing "
                "\"container-template\" at <.Nom>: can't evaluate field Nom in type v1.ObjectMeta"},
           Case{"config-defaults", "init-container-name-template", "{{foo}}",
                "template: container-template:1: function \"foo\" not defined"},
           Case{"config-gc", "retain-since-create-time", "disabled", ""},
           Case{"config-gc", "retain-since-create-time", "", ""},
           Case{"config-gc", "retain-since-create-time", "invalid",
                "failed to parse retain-since-create-time: time: invalid duration \"invalid\""},
           Case{"config-gc", "retain-since-last-active-time", "-1s",
                "failed to parse retain-since-last-active-time: must be non-negative"},
           Case{"config-gc", "max-non-active-revisions", "-1",
                "failed to parse max-non-active-revisions: strconv.ParseUint: parsing \"-1\": "
                "invalid syntax"},
           Case{"config-gc", "max-non-active-revisions", "9223372036854775808",
                "failed to parse max-non-active-revisions: value should be lower than "
                "9223372036854775807"},
           Case{"config-gc", "min-non-active-revisions", "-1",
                "min-non-active-revisions must be non-negative, was: -1"},
           Case{"config-gc", "min-non-active-revisions", "1001",
                "min-non-active-revisions(1001) must be <= max-non-active-revisions(1000)"},
           Case{"config-gc", "min-non-active-revisions", "invalid",
                "failed to parse data: failed to parse \"min-non-active-revisions\": "
                "strconv.ParseInt: parsing \"invalid\": invalid syntax"},
           Case{"config-network", "rollout-duration", "-444",
                "rollout-duration must be a positive integer, but was -444"},
           Case{"config-network", "rollout-duration", "mil novecientos",
                "failed to parse \"rollout-duration\": strconv.ParseInt: parsing \"mil "
                "novecientos\": invalid syntax"},
           Case{"config-network", "domain-template", "{{.Foo}}.{{.Namespace}}.{{.Domain}}",
                "template: domain-template:1:2: executing \"domain-template\" at <.Foo>: can't "
                "evaluate field Foo in type config.DomainTemplateValues"},
           Case{"config-network", "domain-template", "", "empty hostname"},
           Case{"config-network", "domain-template", "{{.Name}}.x/{{.Domain}}",
                "domain template has url path: /baz.com"},
           Case{"config-network", "domain-template", "{{if .Name}}x",
                "template: domain-template:1: unexpected EOF"},
           Case{"config-network", "domain-template", "{{end}}",
                "template: domain-template:1: unexpected {{end}}"},
           Case{"config-network", "tag-template", "{{.Namespace}}-{{.Name}}",
                "template: tag-template:1:2: executing \"tag-template\" at <.Namespace>: can't "
                "evaluate field Namespace in type config.TagTemplateValues"},
           Case{"config-network", "http-protocol", "under-the-bridge",
                "httpProtocol under-the-bridge in config-network ConfigMap is not supported"},
           Case{"config-network", "http-protocol", "Redirected", ""},
           Case{"config-network", "system-internal-tls", "foo",
                "system-internal-tls with value: \"foo\" in config-network ConfigMap is not "
                "supported"},
           Case{"config-network", "autocreate-cluster-domain-claims", "maybe",
                "failed to parse \"autocreate-cluster-domain-claims\": strconv.ParseBool: parsing "
                "\"maybe\": invalid syntax"},
           Case{"config-deployment", "queue-sidecar-image", "",
                "queue-sidecar-image cannot be empty or unset"},
           Case{"config-deployment", "progress-deadline", "0s",
                "progress-deadline cannot be a non-positive duration, was 0s"},
           Case{"config-deployment", "progress-deadline", "1982ms",
                "progress-deadline must be rounded to a whole second, was: 1.982s"},
           Case{"config-deployment", "digest-resolution-timeout", "-1s",
                "digest-resolution-timeout cannot be a non-positive duration, was -1s"},
           Case{"config-deployment", "queue-sidecar-cpu-request", "20q",
                "failed to parse \"queue-sidecar-cpu-request\": quantities must match the regular "
                "expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
           Case{"config-deployment", "default-affinity-type", "coconut",
                "unsupported default-affinity-type value: \"coconut\""},
           Case{"config-deployment", "runtime-class-name", "gvisor: {selector: {a: b}}", ""},
           Case{"config-domain", "example.com", "selector: {app: prod}", ""},
           Case{"config-domain", "example.com", "text",
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into "
                "Go "
                "value of type config.domainInternalConfig"},
           Case{"config-observability", "metrics-protocol", "smoke",
                "unsupported protocol \"smoke\""},
           Case{"config-observability", "metrics-protocol", "grpc",
                "endpoint should be set when protocol is \"grpc\""},
           Case{"config-observability", "request-metrics-endpoint", "x",
                "endpoint should not be set when protocol is \"none\""},
           Case{"config-observability", "tracing-sampling-rate", "2",
                "sampling rate 2.000000 should be less than or equal to one"},
           Case{"config-observability", "runtime-profiling", "yes",
                "unsupported profile setting \"yes\""},
           Case{"config-observability", "logging.enable-request-log", "true", ""},
           Case{"config-observability", "logging.enable-request-log", "perhaps",
                "failed to parse \"logging.enable-request-log\": strconv.ParseBool: parsing "
                "\"perhaps\": invalid syntax"},
           Case{"config-features", "multi-container", "perhaps", ""},
           Case{"config-tracing", "backend", "zipkin", ""},
       }) {
    Json data = {{c.key, c.value}};
    if (std::string_view(c.map) == "config-deployment" && !data.contains("queue-sidecar-image"))
      data["queue-sidecar-image"] = "none";
    ServingConfig config;
    const Status status = ApplyConfigMap(c.map, data, config);
    EXPECT_EQ(status ? "" : status.error().message, c.error) << c.map << " " << data;
  }
}

TEST(ServingConfigTest, ReadsWhatTheMapsSay) {
  ServingConfig config;
  const auto apply = [&config](const char* map, const Json& data) {
    const Status status = ApplyConfigMap(map, data, config);
    EXPECT_TRUE(status) << status.error().message;
  };
  apply("config-gc", {{"retain-since-create-time", "Disabled"},
                      {"retain-since-last-active-time", "90m"},
                      {"min-non-active-revisions", "2"},
                      {"max-non-active-revisions", "disabled"}});
  EXPECT_EQ(config.retention, (RevisionRetention{.since_create = std::nullopt,
                                                 .since_last_active = std::chrono::minutes(90),
                                                 .non_active_min = 2,
                                                 .non_active_max = std::nullopt}));
  apply("config-deployment", {{"queueSidecarImage", "x"},
                              {"progressDeadline", "100s"},
                              {"progress-deadline", "120s"},
                              {"digest-resolution-timeout", "60s"},
                              {"registries-skipping-tag-resolving", "ko.local, ko.dev"},
                              {"pod-is-always-schedulable", "true"}});
  EXPECT_EQ(config.deployment,
            (DeploymentConfig{.progress_deadline = Seconds(120),
                              .digest_resolution_timeout = Seconds(60),
                              .registries_skipping_tag_resolving = {"ko.local", "ko.dev"},
                              .pod_is_always_schedulable = true}));
  apply("config-network", {{"rollout-duration", "20"},
                           {"autocreate-cluster-domain-claims", "true"},
                           {"default-external-scheme", "https"},
                           {"http-protocol", "redirected"},
                           {"tag-template", "{{.Name}}-{{.Tag}}"}});
  EXPECT_EQ(config.network.rollout_duration, Seconds(20));
  EXPECT_TRUE(config.network.autocreate_cluster_domain_claims);
  EXPECT_EQ(config.network.default_external_scheme, "https");
  EXPECT_EQ(config.network.http_protocol, NetworkConfig::HttpProtocol::kRedirected);
  EXPECT_EQ(*config.network.TaggedName("hello", "blue"), "hello-blue");
  apply("config-observability", {{"logging.enable-request-log", "true"},
                                 {"logging.revision-url-template", "http://l/?r=${REVISION_UID}"}});
  EXPECT_EQ(config.observability,
            (ObservabilityConfig{.revision_url_template = "http://l/?r=${REVISION_UID}", .request_log = true}));
  apply("config-observability", {{"logging.enable-request-log", "true"},
                                 {"logging.request-log-template", "{{.Request.URL}}"}});
  EXPECT_EQ(config.observability.request_log_template, "{{.Request.URL}}");
  EXPECT_EQ(
      ApplyConfigMap("config-observability",
                     {{"logging.enable-request-log", "true"}, {"logging.request-log-template", ""}},
                     config)
          .error()
          .message,
      "\"logging.enable-request-log\" was set to true, but no "
      "\"logging.request-log-template\" was specified");
  // What cannot be used changes nothing.
  EXPECT_FALSE(ApplyConfigMap("config-gc", {{"min-non-active-revisions", "x"}}, config));
  EXPECT_EQ(config.retention.non_active_min, 2);
}

TEST(DomainConfigTest, TheMostDemandingSelectorWins) {
  const auto config = DomainConfig::Parse({{"_example", "nonsense: ["},
                                           {"example.com", ""},
                                           {"b.example.org", "selector:\n  app: x\n"},
                                           {"a.example.org", "selector: {app: x}\ntype: wildcard"},
                                           {"z.example.net", "selector: {app: x, tier: front}"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->DomainFor({}), "example.com");
  EXPECT_EQ(config->DomainFor({{"app", "x"}}), "a.example.org");
  EXPECT_EQ(config->DomainFor({{"app", "x"}, {"tier", "front"}, {"more", ""}}), "z.example.net");
  EXPECT_EQ(config->DomainFor({{"app", "y"}}), "example.com");
  EXPECT_EQ(DomainConfig().DomainFor({}), "");
}

TEST(GoTemplateTest, Executes) {
  TemplateData data{.type = "T"};
  data.fields = {{"Name", "hello"},
                 {"Namespace", "prod"},
                 {"Labels", TemplateMap{{"app", "x"}, {"a.b/c", "y"}}},
                 {"Annotations", TemplateMap{}}};
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"plain", "plain"},
           {"{{.Name}}.{{.Namespace}}", "hello.prod"},
           {"{{ .Name -}}  \n .x", "hello.x"},
           {"a {{- /* nothing */ -}} b", "ab"},
           {"{{index .Labels \"a.b/c\"}}-{{.Labels.app}}", "y-x"},
           {"[{{index .Annotations \"none\"}}]", "[]"},
           {"[{{.Annotations.none}}]", "[<no value>]"},
           {"{{if .Annotations}}a{{else if eq .Namespace \"prod\" \"x\"}}b{{else}}c{{end}}!", "b!"},
           {"{{if eq .Name `x`}}1{{else if eq .Name \"y\"}}2{{else if false}}3{{else}}4{{end}}5",
            "45"},
           {"{{with .Labels.app}}{{.}}-{{$.Name}}{{end}}", "x-hello"},
           {"{{with .Labels.none}}x{{else}}none{{end}}", "none"},
           {"{{.Name | printf \"%s-%s\" .Namespace}}", "prod-hello"},
           {"{{printf \"%q %d%%\" .Name (len .Name)}}", "\"hello\" 5%"},
           {"{{and .Name .Labels.app}}{{or \"\" .Name}}{{not .Annotations}}", "xhellotrue"},
           {"{{if ne (index .Labels \"app\") \"y\"}}{{print .Name 1 true}}{{end}}",
            "hello1true"}}) {
    const auto parsed = GoTemplate::Parse("t", text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    const auto result = parsed->Execute(data);
    ASSERT_TRUE(result) << text << ": " << result.error().message;
    EXPECT_EQ(*result, want) << text;
  }
}

TEST(GoTemplateTest, Refuses) {
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"{{", "unclosed action"},
           {"a\n{{.Name", "template: t:2: unclosed action"},
           {"{{}}", "missing value for command"},
           {"{{if}}x{{end}}", "missing value for if"},
           {"{{if .Name}}x", "unexpected EOF"},
           {"{{if .Name}}x{{else}}y{{else}}z{{end}}", "expected end; found {{else}}"},
           {"{{else}}", "unexpected {{else}}"},
           {"{{range .X}}{{end}}", "function \"range\" not defined"},
           {"{{$x}}", "undefined variable \"$x\""},
           {"{{(.Name}}", "unclosed left paren"},
           {"{{\"a}}", "unterminated quoted string"},
           {"{{/* }}", "unclosed comment"},
           {"{{1x}}", "bad number syntax: \"1x\""},
           {"{{.Name}", "bad character U+007D '}'"}}) {
    const auto parsed = GoTemplate::Parse("t", text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, testing::HasSubstr(want)) << text;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "{{if .A}}";
  EXPECT_FALSE(GoTemplate::Parse("t", deep));
  std::string nested(100, '(');
  EXPECT_FALSE(GoTemplate::Parse("t", "{{" + nested + ".A"));
  std::string chain = "{{if .A}}";
  for (int i = 0; i < 100; ++i) chain += "{{else if .A}}";
  EXPECT_FALSE(GoTemplate::Parse("t", chain + "{{end}}"));
  EXPECT_FALSE(GoTemplate::Parse("t", std::string(20'000, 'a')));
  const TemplateData data{.type = "T", .fields = {{"Name", "hello"}}};
  const auto wide = GoTemplate::Parse("t", std::string(5'000, 'a'));
  EXPECT_FALSE(wide->Execute(data));
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"{{.Name.Foo}}",
            "template: t:1:2: executing \"t\" at <.Name.Foo>: can't evaluate field Foo in type "
            "string"},
           {"{{eq .Name 1}}", "error calling eq: incompatible types for comparison"},
           {"{{index .Name \"a\"}}", "error calling index: can't index item of type string"},
           {"{{.Name .Name}}", "can't give argument to non-function .Name"},
           {"{{len}}", "wrong number of args for len"}}) {
    const auto result = GoTemplate::Parse("t", text)->Execute(data);
    ASSERT_FALSE(result) << text;
    EXPECT_THAT(result.error().message, testing::HasSubstr(want)) << text;
  }
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

TEST(ConfigExampleTest, EveryMapIsWholeAndAcceptable) {
  for (const auto& [text, sum] : std::vector<std::pair<std::string, std::string>>{
           {"", "00000000"},
           {"1", "83dcefb7"},
           {"a somewhat\r\n\r\n\r\nlonger\r\n\r\ntext", "2b4ed320"},
           {"a somewhat\n\n\nlonger\n\ntext", "2b4ed320"},
           {"   a somewhat longer test\t\t\t", "fefe6f72"}}) {
    EXPECT_EQ(ExampleChecksum(text), sum) << text;
  }
  const std::vector<Json> maps = ExampleConfigMaps();
  EXPECT_EQ(maps.size(), 8U);
  for (Json map : maps) {
    const std::string name = NameOf(map);
    EXPECT_TRUE(IsConfigMap(name)) << name;
    Status checked = CheckConfigMap(map);
    EXPECT_TRUE(checked) << name << ": " << checked.error().message;
    // What the example shows can be copied out of it.
    if (name != "config-domain") {
      for (const DocumentedKey& key : DocumentedKeys()) {
        if (key.map == name && !key.value.empty()) map["data"][std::string(key.key)] = key.value;
      }
      checked = CheckConfigMap(map);
      EXPECT_TRUE(checked) << name << ": " << checked.error().message;
    }
    map["data"]["_example"] = "changed";
    checked = CheckConfigMap(map);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().message,
              "the update modifies a key in \"_example\" which is probably not what you want. "
              "Instead, copy the respective setting to the top-level of the ConfigMap, directly "
              "below \"data\"");
    map["metadata"].erase("annotations");
    EXPECT_TRUE(CheckConfigMap(map));
  }
}

TEST(ConfigExampleTest, TheDefaultsShownAreTheDefaults) {
  const ServingConfig plain;
  for (const DocumentedKey& key : DocumentedKeys()) {
    if (key.map != "config-features") continue;
    const bool on = plain.features.Enabled(key.key);
    EXPECT_EQ(key.value, on ? "enabled" : "disabled") << key.key;
  }
  ServingConfig shown;
  Json autoscaler = Json::object();
  Json gc = Json::object();
  for (const DocumentedKey& key : DocumentedKeys()) {
    if (key.map == "config-autoscaler") autoscaler[std::string(key.key)] = key.value;
    if (key.map == "config-gc") gc[std::string(key.key)] = key.value;
  }
  ASSERT_TRUE(ApplyConfigMap("config-autoscaler", autoscaler, shown));
  ASSERT_TRUE(ApplyConfigMap("config-gc", gc, shown));
  EXPECT_EQ(shown.autoscaler, plain.autoscaler);
  EXPECT_EQ(shown.retention, plain.retention);
}

TEST(ServingConfigTest, FeaturesAreReadLoosely) {
  const Features features = Features::Parse({{"multi-container", "disabled"},
                                             {"kubernetes.podspec-affinity", "ALLOWED"},
                                             {"x", "y"},
                                             {"secure-pod-defaults", "allowrootbounded"}});
  EXPECT_TRUE(features.Disabled("multi-container"));
  EXPECT_EQ(features.Get("kubernetes.podspec-affinity"), Flag::kAllowed);
  EXPECT_TRUE(features.Enabled("kubernetes.podspec-volumes-emptydir"));
  EXPECT_TRUE(features.SecureDefaults());
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
