// Knative's rules for containers, with their exact texts: fields, environment, ports, resources and security contexts
// (reference 1.4).
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

class ContainerTest : public testing::TestWithParam<ManifestCase> {};

TEST_P(ContainerTest, Verdict) {
  EXPECT_EQ(Verdict(WithContainer(GetParam().manifest)),
            WithPathOf("spec.template.spec.containers[0].", GetParam().want))
      << GetParam().manifest;
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
        // images
        {R"({"image":"a//b"})", ""},
        {R"({"image":"A/b"})",
         "Failed to parse image reference: @image\nimage: \"A/b\", error: could not parse reference: A/b"},
        {R"({"image":"a/b:"})", ""},
        {R"({"image":"localhost:5000/a:b"})",
         "Failed to parse image reference: @image\nimage: \"localhost:5000/a:b\", error: could not parse "
         "reference: localhost:5000/a:b"},
        {R"({"image":"docker.io/a/b@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})", ""},
        // fields, and their zeroes
        {R"({"resizePolicy":[{"resourceName":"cpu","restartPolicy":"NotRequired"}]})",
         "must not set the field(s): @resizePolicy"},
        {R"({"restartPolicy":"Always"})", "must not set the field(s): @restartPolicy"},
        {R"({"restartPolicy":""})", "must not set the field(s): @restartPolicy"},
        {R"({"lifecycle":{}})", "must not set the field(s): @lifecycle"},
        {R"({"volumeDevices":[]})", ""},
        {R"({"terminationMessagePolicy":"File"})", ""},
        {R"({"terminationMessagePolicy":"file"})", "invalid value: file: @terminationMessagePolicy"},
        {R"({"imagePullPolicy":"Sometimes"})", ""},
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
        {R"({"env":[{}]})", "missing field(s): @env[0].name"},
        {R"({"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"c","key":"k","optional":true}}}]})", ""},
        {R"({"env":[{"name":"A","valueFrom":{}}]})", ""},
        {R"({"env":[{"name":"A","valueFrom":{"fileKeyRef":{"volumeName":"v","path":"p","key":"k"}}}]})",
         "must not set the field(s): @env[0].valueFrom.fileKeyRef"},
        {R"({"env":[{"name":"PORT"},{},{"name":"K_REVISION","valueFrom":{"fieldRef":{"fieldPath":"x"}}}]})",
         "\"K_REVISION\" is a reserved environment variable: @env[2].name\n\"PORT\" is a reserved "
         "environment variable: @env[0].name\nmissing field(s): @env[1].name\nmust not set the field(s): "
         "@env[2].valueFrom.fieldRef"},
        {R"({"envFrom":[{"prefix":"P_"}]})",
         "expected exactly one, got neither: @envFrom.configMapRef, @envFrom.secretRef"},
        {R"({"envFrom":[{"configMapRef":{"name":"c"}},{}]})",
         "expected exactly one, got neither: @envFrom.configMapRef, @envFrom.secretRef"},
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
        {R"({"ports":[{}]})", ""},
        {R"({"ports":[]})", ""},
        {R"({"ports":[{"containerPort":0}]})", ""},
        {R"({"ports":[{"containerPort":65535}]})", ""},
        {R"({"ports":[{"name":"h2c","containerPort":8080}]})", ""},
        {R"({"ports":[{"name":"http"}]})",
         "Port name http is not allowed: @ports\nName must be empty, or one of: 'h2c', 'http1'"},
        {R"({"ports":[{"name":"H2C"}]})",
         "Port name H2C is not allowed: @ports\nName must be empty, or one of: 'h2c', 'http1'"},
        {R"({"ports":[{"protocol":""}]})", ""},
        {R"({"ports":[{"protocol":"tcp"}]})", "invalid value: tcp: @ports.protocol"},
        {R"({"ports":[{"containerPort":9091,"name":"grpc","protocol":"UDP","hostPort":80,"hostIP":"1.2.3.4"}]})",
         "Port name grpc is not allowed: @ports\nName must be empty, or one of: 'h2c', 'http1'\ninvalid "
         "value: 9091 is a reserved port: @ports.containerPort\n9091 is a reserved port, please use a "
         "different value\ninvalid value: UDP: @ports.protocol\nmust not set the field(s): @ports.hostIP, "
         "@ports.hostPort"},
        {R"({"ports":[{"containerPort":80},{"containerPort":8012,"name":"x"}]})",
         "more than one container port is set: spec.template.spec.containers[*].ports\nOnly a single port is "
         "allowed across all containers"},
        // resources
        {R"({"resources":{"limits":{"cpu":"1","memory":"128Mi"},"requests":{"cpu":0.5}}})", ""},
        {R"({"resources":{"limits":{"cpu":"lots"}}})",
         "invalid value: lots: @resources.limits.cpu\nquantities must match the regular expression "
         "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {R"({"resources":{"claims":[{"name":"x"}]}})",
         "must not set the field(s): @resources.claims"},
        {R"({"resources":{"limits":{"cpu":"1","memory":"1Gi","ephemeral-storage":"1Gi","example.com/gpu":"1"}}})", ""},
        {R"({"resources":{"claims":[]}})", ""},
        {R"({"resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}})", ""},
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
        {R"({"securityContext":{}})", ""},
        {R"({"securityContext":{"runAsUser":2147483647,"runAsGroup":0}})", ""},
        {R"({"securityContext":{"runAsUser":2147483648,"runAsGroup":-1}})",
         "expected 0 <= -1 <= 2147483647: @securityContext.runAsGroup\nexpected 0 <= 2147483648 <= "
         "2147483647: @securityContext.runAsUser"},
        {R"({"securityContext":{"allowPrivilegeEscalation":true,"runAsNonRoot":false,"readOnlyRootFilesystem":false}})",
         ""},
        {R"({"securityContext":{"capabilities":{}}})", ""},
        {R"({"securityContext":{"capabilities":{"add":[]}}})", ""},
        {R"({"securityContext":{"capabilities":{"drop":["NET_RAW"],"add":["NET_BIND_SERVICE"]}}})",
         "must not set the field(s): @securityContext.capabilities.add"},
        {R"({"securityContext":{"seccompProfile":{"type":"Localhost","localhostProfile":"p"}}})", ""},
        {R"({"securityContext":{"windowsOptions":{}}})", "must not set the field(s): @securityContext.windowsOptions"},
        {R"({"securityContext":{"appArmorProfile":{"type":"Unconfined"}}})",
         "must not set the field(s): @securityContext.appArmorProfile"},
        {R"({"securityContext":{"procMount":""}})", "must not set the field(s): @securityContext.procMount"},
        {R"({"securityContext":{"privileged":true,"runAsUser":-1,"seLinuxOptions":{"user":"x"}}})",
         "expected 0 <= -1 <= 2147483647: @securityContext.runAsUser\nmust not set the field(s): "
         "@securityContext.privileged, @securityContext.seLinuxOptions"},
        // mounts without volumes
        {R"({"volumeMounts":[{"name":"x","mountPath":"/x"}]})",
         "volumeMount has no matching volume: @volumeMounts[0].name"},
    }));

TEST(ContainersTest, AnImageWithAWrongDigest) {
  EXPECT_EQ(Verdict(WithContainer(R"({"image":"a/b@sha256:xx"})")),
            "Failed to parse image reference: spec.template.spec.containers[0].image\nimage: "
            "\"a/b@sha256:xx\", error: could not parse reference: a/b@sha256:xx");
}

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
