// Knative's rules for its ConfigMaps, with their exact texts, and what they set.
#include <gtest/gtest.h>

#include "core/api/config_example.h"
#include "core/api/meta.h"
#include "core/api/serving_config.h"

namespace updraft::api {
namespace {

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

// Further rows: what Go's own parsers say, keys that go together, and templates.
TEST(ServingConfigTest, RefusesInTheWordsOfGo) {
  struct Case {
    const char* map;
    const char* data;
    const char* error;
  };
  for (const Case& c : {
           Case{"config-autoscaler", R"({"stable-window":"-1"})",
                "failed to parse data: failed to parse \"stable-window\": time: missing unit in duration "
                "\"-1\""},
           Case{"config-autoscaler", R"({"stable-window":"+5"})",
                "failed to parse data: failed to parse \"stable-window\": time: missing unit in duration "
                "\"+5\""},
           Case{"config-autoscaler", R"({"stable-window":"1Gi"})",
                "failed to parse data: failed to parse \"stable-window\": time: unknown unit \"Gi\" in "
                "duration \"1Gi\""},
           Case{"config-autoscaler", R"({"stable-window":"x"})",
                "failed to parse data: failed to parse \"stable-window\": time: invalid duration \"x\""},
           Case{"config-autoscaler", R"({"stable-window":""})",
                "failed to parse data: failed to parse \"stable-window\": time: invalid duration \"\""},
           Case{"config-autoscaler", R"({"panic-window-percentage":"2147483648"})",
                "panic-window-percentage = 2.147483648e+09, must be in [1, 100] interval"},
           Case{"config-autoscaler", R"({"panic-window-percentage":"0.5"})",
                "panic-window-percentage = 0.5, must be in [1, 100] interval"},
           Case{"config-autoscaler", R"({"panic-threshold-percentage":"x"})",
                "failed to parse data: failed to parse \"panic-threshold-percentage\": strconv.ParseFloat: "
                "parsing \"x\": invalid syntax"},
           Case{"config-autoscaler", R"({"min-scale":"x"})",
                "failed to parse data: failed to parse \"min-scale\": strconv.ParseInt: parsing \"x\": "
                "invalid syntax"},
           Case{"config-autoscaler", R"({"enable-scale-to-zero":"yes"})",
                "failed to parse data: failed to parse \"enable-scale-to-zero\": strconv.ParseBool: parsing "
                "\"yes\": invalid syntax"},
           Case{"config-autoscaler", R"({"container-concurrency-target-percentage":"0"})",
                "container-concurrency-target-percentage = 0.000000 is outside of valid range of (0, 100]"},
           Case{"config-autoscaler", R"({"max-scale":"-1"})",
                "max-scale = -1, must be in [0, max-scale-limit(0)] range"},
           Case{"config-autoscaler", R"({"max-scale":"5","max-scale-limit":"3"})",
                "max-scale = 5, must be in [1, max-scale-limit(3)] range"},
           Case{"config-autoscaler", R"({"initial-scale":"-1","allow-zero-initial-scale":"true"})",
                "initial-scale = -1, must be at least 0 (or at least 1 when allow-zero-initial-scale is "
                "false)"},
           Case{"config-autoscaler", R"({"scale-to-zero-grace-period":"-1s"})",
                "scale-to-zero-grace-period must be positive, was: -1s"},
           Case{"config-defaults", R"({"max-revision-timeout-seconds":"x"})",
                "failed to parse \"max-revision-timeout-seconds\": strconv.ParseInt: parsing \"x\": invalid "
                "syntax"},
           Case{"config-defaults", R"({"revision-response-start-timeout-seconds":"301"})",
                "revision-response-start-timeout-seconds (301) cannot be greater than "
                "revision-timeout-seconds (300)"},
           Case{"config-defaults", R"({"container-concurrency":"-1"})",
                "expected 0 <= -1 <= 1000: container-concurrency"},
           Case{"config-defaults", R"({"container-concurrency":"5","container-concurrency-max-limit":"4"})",
                "expected 0 <= 5 <= 4: container-concurrency"},
           Case{"config-defaults", R"({"allow-container-concurrency-zero":"maybe"})",
                "failed to parse \"allow-container-concurrency-zero\": strconv.ParseBool: parsing \"maybe\": "
                "invalid syntax"},
           Case{"config-defaults", R"({"revision-memory-limit":"1gi"})",
                "failed to parse \"revision-memory-limit\": quantities must match the regular expression "
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
           Case{"config-defaults", R"({"container-name-template":"{{.Nope}}","init-container-name-template":"{{.Nix}}"})",
                "error executing template: template: container-template:1:2: executing "
                "\"container-template\" at <.Nope>: can't evaluate field Nope in type v1.ObjectMeta"},
           Case{"config-defaults", R"({"container-name-template":"{{animals-being}}"})",
                "template: container-template:1: bad character U+002D '-'"},
           Case{"config-deployment", R"({"queue-sidecar-image":"x","default-affinity-type":" none "})",
                "unsupported default-affinity-type value: \" none \""},
           Case{"config-deployment", R"({"queue-sidecar-image":"x","runtime-class-name":"a: b"})",
                "runtime-class-name cannot be parsed, please check the format: error unmarshaling JSON: "
                "while decoding JSON: json: cannot unmarshal string into Go value of type "
                "deployment.RuntimeClassNameLabelSelector"},
           Case{"config-deployment", R"({"queue-sidecar-image":"x","runtime-class-name":"5"})",
                "runtime-class-name cannot be parsed, please check the format: error unmarshaling JSON: "
                "while decoding JSON: json: cannot unmarshal number into Go value of type "
                "map[string]deployment.RuntimeClassNameLabelSelector"},
           Case{"config-deployment", R"({"queue-sidecar-image":"x","runtime-class-name":"kata:\n  selector:\n    \"-a\": \" b\"\n"})",
                "runtime-class-name kata selector invalid: [key: Invalid value: \"-a\": name part must "
                "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
                "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), values[0][-a]: Invalid value: \" "
                "b\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' "
                "or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
                "'my_value',  or '12345', regex used for validation is "
                "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')]"},
           Case{"config-network", R"({"domain-template":"{{.Name}} {{.Domain}}"})",
                "parse \"https://foo baz.com\": invalid character \" \" in host name"},
           Case{"config-network", R"({"domain-template":"a: b"})",
                "parse \"https://a: b\": invalid port \": b\" after host"},
           Case{"config-network", R"({"domain-template":"a[b"})",
                "parse \"https://a[b\": missing ']' in host"},
           Case{"config-network", R"({"tag-template":"{{.Annotations.x}}"})",
                "template: tag-template:1:14: executing \"tag-template\" at <.Annotations.x>: can't evaluate "
                "field Annotations in type config.TagTemplateValues"},
       }) {
    ServingConfig config;
    const Status status = ApplyConfigMap(c.map, Json::parse(c.data), config);
    EXPECT_EQ(status ? "" : status.error().message, c.error) << c.data;
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

}  // namespace
}  // namespace updraft::api
