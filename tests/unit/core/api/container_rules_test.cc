// Knative's rules for containers, with their exact texts: fields, environment, ports, resources and security contexts
// (reference 1.4).
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

constexpr std::string_view kContainer = "spec.template.spec.containers[0].";

class ContainerTest : public testing::TestWithParam<ManifestCase> {};

TEST_P(ContainerTest, Verdict) {
  std::string want = GetParam().want;
  // "@" stands for the container's path.
  for (size_t at = want.find('@'); at != std::string::npos; at = want.find('@'))
    want.replace(at, 1, kContainer);
  EXPECT_EQ(Verdict(WithContainer(GetParam().manifest)), want) << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, ContainerTest,
    testing::ValuesIn(std::vector<ManifestCase>{
        {R"({"image":null})", "missing field(s): @image"},
        {R"({"image":""})", "missing field(s): @image"},
        {R"({"image":"a b"})",
         "Failed to parse image reference: @image\nimage: \"a b\", error: could not parse "
         "reference: a b"},
        {R"({"name":"queue-proxy"})", "\"queue-proxy\" is a reserved container name: @name"},
        {R"({"name":"My_App"})",
         "invalid value: My_App: @name\na lowercase RFC 1123 label must consist of lower case alphanumeric "
         "characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', "
         "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
        {R"({"command":["a"],"args":["b"],"workingDir":"/w","imagePullPolicy":"Always","terminationMessagePath":"/x"})",
         ""},
        {R"({"terminationMessagePolicy":"FallbackToLogsOnError"})", ""},
        {R"({"terminationMessagePolicy":"Sometimes"})",
         "invalid value: Sometimes: @terminationMessagePolicy"},
        {R"({"lifecycle":{"preStop":{}}})", "must not set the field(s): @lifecycle"},
        {R"({"stdin":true,"tty":true,"stdinOnce":true})",
         "must not set the field(s): @stdin, @stdinOnce, @tty"},
        {R"({"stdin":false})", ""},
        {R"({"volumeDevices":[{}]})", "must not set the field(s): @volumeDevices"},
        // environment
        {R"({"env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]})",
         ""},
        {R"({"env":[{"value":"1"}]})", "missing field(s): @env[0].name"},
        {R"({"env":[{"name":"PORT"}]})",
         "\"PORT\" is a reserved environment variable: @env[0].name"},
        {R"({"env":[{"name":"A"},{"name":"K_SERVICE"}]})",
         "\"K_SERVICE\" is a reserved environment variable: @env[1].name"},
        {R"({"env":[{"name":"K_CONFIGURATION"}]})",
         "\"K_CONFIGURATION\" is a reserved environment variable: @env[0].name"},
        {R"({"env":[{"name":"K_REVISION"}]})",
         "\"K_REVISION\" is a reserved environment variable: @env[0].name"},
        {R"({"env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"x"}}}]})",
         "must not set the field(s): @env[0].valueFrom.fieldRef"},
        {R"({"env":[{"name":"A","valueFrom":{"resourceFieldRef":{}}}]})",
         "must not set the field(s): @env[0].valueFrom.resourceFieldRef"},
        {R"({"envFrom":[{"configMapRef":{"name":"c"}},{"prefix":"P_","secretRef":{"name":"s"}}]})",
         ""},
        {R"({"envFrom":[{}]})",
         "expected exactly one, got neither: @envFrom.configMapRef, @envFrom.secretRef"},
        {R"({"envFrom":[{},{"secretRef":{"name":"s"}}]})",
         "expected exactly one, got neither: @envFrom.secretRef[1].configMapRef, "
         "@envFrom.secretRef[1].secretRef"},
        {R"({"envFrom":[{"configMapRef":{"name":"c"},"secretRef":{"name":"s"}}]})",
         "expected exactly one, got both: @envFrom.configMapRef, @envFrom.secretRef"},
        // ports
        {R"({"ports":[{"containerPort":8081}]})", ""},
        {R"({"ports":[{"name":"h2c"}]})", ""},
        {R"({"ports":[{"name":"http1","protocol":"TCP"}]})", ""},
        {R"({"ports":[{"name":"grpc"}]})",
         "Port name grpc is not allowed: spec.template.spec.containers[0].ports\nName must be "
         "empty, or one of: 'h2c', 'http1'"},
        {R"({"ports":[{"containerPort":65536}]})",
         "expected 0 <= 65536 <= 65535: @ports.containerPort"},
        {R"({"ports":[{"containerPort":-1}]})", "expected 0 <= -1 <= 65535: @ports.containerPort"},
        {R"({"ports":[{"containerPort":8012}]})",
         "invalid value: 8012 is a reserved port: @ports.containerPort\n8012 is a reserved port, "
         "please use a different value"},
        {R"({"ports":[{"containerPort":9090}]})",
         "invalid value: 9090 is a reserved port: @ports.containerPort\n9090 is a reserved port, "
         "please use a different value"},
        {R"({"ports":[{"protocol":"UDP"}]})", "invalid value: UDP: @ports.protocol"},
        {R"({"ports":[{"hostPort":80}]})", "must not set the field(s): @ports.hostPort"},
        {R"({"ports":[{"hostIP":"1.2.3.4"}]})", "must not set the field(s): @ports.hostIP"},
        {R"({"ports":[{"containerPort":80},{"containerPort":81}]})",
         "more than one container port is set: spec.template.spec.containers[*].ports\nOnly a "
         "single port is allowed across all containers"},
        // resources
        {R"({"resources":{"limits":{"cpu":"1","memory":"128Mi"},"requests":{"cpu":0.5}}})", ""},
        {R"({"resources":{"limits":{"cpu":"lots"}}})",
         "invalid value: lots: @resources.limits.cpu\nquantities must match the regular expression "
         "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {R"({"resources":{"claims":[{"name":"x"}]}})",
         "must not set the field(s): @resources.claims"},
        // security context
        {R"({"securityContext":{"runAsUser":0,"runAsGroup":2147483647,"readOnlyRootFilesystem":true,"runAsNonRoot":true,"allowPrivilegeEscalation":false,
             "capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"},"privileged":false}})",
         ""},
        {R"({"securityContext":{"runAsUser":-10}})",
         "expected 0 <= -10 <= 2147483647: @securityContext.runAsUser"},
        {R"({"securityContext":{"runAsGroup":2147483648}})",
         "expected 0 <= 2147483648 <= 2147483647: @securityContext.runAsGroup"},
        {R"({"securityContext":{"privileged":true}})",
         "must not set the field(s): @securityContext.privileged"},
        {R"({"securityContext":{"capabilities":{"add":["NET_ADMIN"]}}})",
         "must not set the field(s): @securityContext.capabilities.add"},
        {R"({"securityContext":{"seLinuxOptions":{},"procMount":"Default"}})",
         "must not set the field(s): @securityContext.procMount, @securityContext.seLinuxOptions"},
        // mounts without volumes
        {R"({"volumeMounts":[{"name":"x","mountPath":"/x"}]})",
         "volumeMount has no matching volume: @volumeMounts[0].name"},
    }));

TEST(ContainersTest, Several) {
  EXPECT_EQ(
      Verdict(WithSpec(
          R"({"containers":[{"image":"a/b","ports":[{"containerPort":80}]},{"image":"a/c","env":[{"name":"PORT","value":"1"}]}]})")),
      "");
  EXPECT_EQ(Verdict(WithSpec(R"({"containers":[{"image":"a/b"},{"image":"a/c"}]})")),
            "missing field(s): spec.template.spec.containers[*].ports");
  EXPECT_EQ(Verdict(WithSpec(
                R"({"containers":[{"image":"a/b","ports":[{}]},{"image":"a/c","ports":[{}]}]})")),
            "more than one container port is set: spec.template.spec.containers[*].ports\nOnly a "
            "single port is allowed across all containers");
  EXPECT_EQ(
      Verdict(WithSpec(
          R"({"containers":[{"image":"a/b","name":"x","ports":[{}]},{"image":"a/c","name":"x"}]})")),
      "duplicate container name \"x\": spec.template.spec.containers[1].name");
  EXPECT_EQ(
      Verdict(WithSpec(
          R"({"containers":[{"image":"a/b","name":"queue-proxy","ports":[{}]},{"image":"a/c","name":"queue-proxy"}]})")),
      "\"queue-proxy\" is a reserved container name: "
      "spec.template.spec.containers[1].containers[0].name, spec.template.spec.containers[1].name\n"
      "duplicate container name \"queue-proxy\": spec.template.spec.containers[1].name");
  EXPECT_EQ(Verdict(WithSpec(R"({"containers":[{"image":"a/b","ports":[{}]},{"image":"a/c"}]})"),
                    WithFeature("multi-container", Flag::kDisabled)),
            "multi-container is off, but found 2 containers: ");
  EXPECT_EQ(
      Verdict(WithSpec(
          R"({"containers":[{"image":"a/b","ports":[{}]},{"image":"a/c","livenessProbe":{"timeoutSeconds":1}}]})")),
      "must not set the field(s): spec.template.spec.containers[1].livenessProbe.timeoutSeconds");
  EXPECT_EQ(
      Verdict(
          WithSpec(
              R"({"containers":[{"image":"a/b","ports":[{}]},{"image":"a/c","livenessProbe":{"httpGet":{}}}]})"),
          WithFeature("multi-container-probing")),
      "invalid value: 0: spec.template.spec.containers[1].livenessProbe.httpGet.port\nProbe port "
      "must be specified");
}

TEST(ContainersTest, ThePlatformsPortsAreReserved) {
  for (const std::string port : {"8008", "8012", "8013", "8022", "9090", "9091"}) {
    EXPECT_EQ(Verdict(WithContainer(R"({"ports":[{"containerPort":)" + port + "}]}")),
              "invalid value: " + port + " is a reserved port: spec.template.spec.containers[0].ports.containerPort\n" +
                  port + " is a reserved port, please use a different value");
  }
}

TEST(GatesTest, OfContainers) {
  const Json field = WithContainer(
      R"({"env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"x"}}},{"name":"B","valueFrom":{"resourceFieldRef":{"resource":"x"}}}]})");
  EXPECT_EQ(Verdict(field, WithFeature("kubernetes.podspec-fieldref")), "");
  EXPECT_EQ(Verdict(field, WithFeature("kubernetes.podspec-fieldref", Flag::kAllowed)), "");
  const Json add = WithContainer(R"({"securityContext":{"capabilities":{"add":["NET_ADMIN"]}}})");
  const std::string refused =
      "must not set the field(s): "
      "spec.template.spec.containers[0].securityContext.capabilities.add";
  EXPECT_EQ(Verdict(add, WithFeature("kubernetes.containerspec-addcapabilities")), "");
  EXPECT_EQ(Verdict(add, WithFeature("kubernetes.containerspec-addcapabilities", Flag::kAllowed)),
            refused);
  const Json bind =
      WithContainer(R"({"securityContext":{"capabilities":{"add":["NET_BIND_SERVICE"]}}})");
  for (const Flag flag : {Flag::kEnabled, Flag::kAllowRootBounded}) {
    const ServingConfig secure = WithFeature("secure-pod-defaults", flag);
    EXPECT_EQ(Verdict(add, secure), refused);
    EXPECT_EQ(Verdict(bind, secure), "");
    EXPECT_EQ(Verdict(WithSpec(R"({"securityContext":{"seccompProfile":{"type":"Unconfined"}}})"),
                      secure),
              "");
    EXPECT_EQ(
        Verdict(WithSpec(R"({"securityContext":{"seccompProfile":{"type":"Localhost"}}})"), secure),
        "must not set the field(s): spec.template.spec.securityContext.seccompProfile");
    EXPECT_EQ(Verdict(WithSpec(R"({"securityContext":{"runAsUser":1}})"), secure),
              "must not set the field(s): spec.template.spec.securityContext.runAsUser");
  }
  EXPECT_EQ(Verdict(bind), refused);
  const ServingConfig spread = WithFeature("kubernetes.podspec-volumes-mount-propagation");
  EXPECT_EQ(
      Verdict(
          WithSpec(
              R"({"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"image":"a/b","volumeMounts":[{"name":"v","mountPath":"/v","mountPropagation":"HostToContainer"}]}]})"),
          spread),
      "");
}

}  // namespace
}  // namespace updraft::api
