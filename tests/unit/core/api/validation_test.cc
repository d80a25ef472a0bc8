// Every rule of Knative's that refuses a manifest, with its exact text.
#include "core/api/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/meta.h"
#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

using testing::HasSubstr;

constexpr std::string_view kContainer = "spec.template.spec.containers[0].";

struct Case {
  std::string manifest;  // merged into spec.template.spec or the container
  std::string want;      // the error; empty: accepted
};

// ---- the revision's own fields

class RevisionSpecTest : public testing::TestWithParam<Case> {};

TEST_P(RevisionSpecTest, Verdict) {
  EXPECT_EQ(Verdict(WithSpec(GetParam().manifest)), GetParam().want) << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, RevisionSpecTest,
    testing::ValuesIn(std::vector<Case>{
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

// ---- pod fields that Knative refuses or gates

struct GateCase {
  std::string field;
  std::string value;
  std::string feature;  // empty: never allowed
};

class PodFieldTest : public testing::TestWithParam<GateCase> {};

TEST_P(PodFieldTest, IsRefusedUnlessItsFeatureIsOn) {
  const GateCase& c = GetParam();
  const std::string patch = "{\"" + c.field + "\":" + c.value + "}";
  const std::string refused = "must not set the field(s): spec.template.spec." + c.field;
  EXPECT_EQ(Verdict(WithSpec(patch)), refused);
  if (!c.feature.empty()) {
    EXPECT_EQ(Verdict(WithSpec(patch), WithFeature(c.feature)), "");
    EXPECT_EQ(Verdict(WithSpec(patch), WithFeature(c.feature, Flag::kAllowed)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, PodFieldTest,
    testing::ValuesIn(std::vector<GateCase>{
        {"affinity", "{\"nodeAffinity\":{}}", "kubernetes.podspec-affinity"},
        {"topologySpreadConstraints", "[{}]", "kubernetes.podspec-topologyspreadconstraints"},
        {"hostAliases", "[{}]", "kubernetes.podspec-hostaliases"},
        {"nodeSelector", "{\"a\":\"b\"}", "kubernetes.podspec-nodeselector"},
        {"tolerations", "[{}]", "kubernetes.podspec-tolerations"},
        {"runtimeClassName", "\"x\"", "kubernetes.podspec-runtimeclassname"},
        {"shareProcessNamespace", "false", "kubernetes.podspec-shareprocessnamespace"},
        {"priorityClassName", "\"x\"", "kubernetes.podspec-priorityclassname"},
        {"schedulerName", "\"x\"", "kubernetes.podspec-schedulername"},
        {"dnsPolicy", "\"Default\"", "kubernetes.podspec-dnspolicy"},
        {"dnsConfig", "{\"nameservers\":[]}", "kubernetes.podspec-dnsconfig"},
        {"hostIPC", "true", "kubernetes.podspec-hostipc"},
        {"hostPID", "true", "kubernetes.podspec-hostpid"},
        {"hostNetwork", "true", "kubernetes.podspec-hostnetwork"},
        {"restartPolicy", "\"Always\"", ""},
        {"terminationGracePeriodSeconds", "0", ""},
        {"activeDeadlineSeconds", "5", ""},
        {"nodeName", "\"n\"", ""},
        {"hostname", "\"h\"", ""},
        {"subdomain", "\"s\"", ""},
        {"priority", "1", ""},
        {"readinessGates", "[{}]", ""}}));

TEST(PodFieldsTest, ZeroesAreAsGoodAsAbsent) {
  EXPECT_EQ(Verdict(WithSpec(R"({"hostNetwork":false,"restartPolicy":"","nodeName":""})")), "");
}

TEST(PodFieldsTest, SeveralAreNamedTogether) {
  EXPECT_EQ(Verdict(WithSpec(R"({"hostNetwork":true,"nodeName":"n","affinity":{}})")),
            "must not set the field(s): spec.template.spec.affinity, "
            "spec.template.spec.hostNetwork, spec.template.spec.nodeName");
}

TEST(PodFieldsTest, SecurityContextOfThePod) {
  EXPECT_EQ(Verdict(WithSpec(R"({"securityContext":{"runAsUser":1}})")),
            "must not set the field(s): spec.template.spec.securityContext, "
            "spec.template.spec.securityContext.runAsUser");
  const ServingConfig on = WithFeature("kubernetes.podspec-securitycontext");
  EXPECT_EQ(
      Verdict(
          WithSpec(
              R"({"securityContext":{"runAsUser":1,"runAsGroup":2,"fsGroup":3,"runAsNonRoot":true,"supplementalGroups":[4],"seccompProfile":{}}})"),
          on),
      "");
  EXPECT_EQ(
      Verdict(
          WithSpec(
              R"({"securityContext":{"runAsUser":-1,"fsGroup":3000000000,"supplementalGroups":[1,-4]}})"),
          on),
      "expected 0 <= -1 <= 2147483647: spec.template.spec.securityContext.runAsUser\n"
      "expected 0 <= -4 <= 2147483647: spec.template.spec.securityContext.supplementalGroups[1]\n"
      "expected 0 <= 3000000000 <= 2147483647: spec.template.spec.securityContext.fsGroup");
  for (const std::string never : {"sysctls", "seLinuxOptions", "windowsOptions", "fsGroupChangePolicy"}) {
    EXPECT_EQ(Verdict(WithSpec(R"({"securityContext":{")" + never + R"(":[{}]}})"), on),
              "must not set the field(s): spec.template.spec.securityContext." + never);
  }
}

TEST(PodFieldsTest, InitContainers) {
  const std::string patch =
      R"({"initContainers":[{"image":"a/b","env":[{"name":"PORT","value":"1"}]}]})";
  EXPECT_EQ(Verdict(WithSpec(patch)),
            "must not set the field(s): spec.template.spec.initContainers\n"
            "pod spec support for init-containers is off, but found 1 init containers: ");
  const ServingConfig on = WithFeature("kubernetes.podspec-init-containers");
  EXPECT_EQ(Verdict(WithSpec(patch), on), "");
  EXPECT_EQ(
      Verdict(
          WithSpec(
              R"({"initContainers":[{"image":"a/b","livenessProbe":{},"lifecycle":{"x":1},"ports":[{"containerPort":8012}]}]})"),
          on),
      "field not allowed in an init container: spec.template.spec.containers[0].lifecycle, "
      "spec.template.spec.containers[0].livenessProbe\n"
      "invalid value: 8012 is a reserved port: "
      "spec.template.spec.containers[0].ports.containerPort\n8012 is a reserved port, please "
      "use a different value\n"
      "must not set the field(s): spec.template.spec.containers[0].lifecycle");
  EXPECT_EQ(Verdict(WithSpec(R"({"initContainers":[{"name":"a","image":"a/b"},
                                {"name":"a","image":"a/b","readinessProbe":{},"startupProbe":{}}]})"),
                    on),
            "duplicate container name \"a\": spec.template.spec.containers[1].name\n"
            "field not allowed in an init container: "
            "spec.template.spec.containers[1].readinessProbe, "
            "spec.template.spec.containers[1].startupProbe");
  // The gate must be on: that the field is let through is not enough.
  EXPECT_EQ(
      Verdict(WithSpec(patch), WithFeature("kubernetes.podspec-init-containers", Flag::kAllowed)),
      "pod spec support for init-containers is off, but found 1 init containers: ");
}

// ---- containers

class ContainerTest : public testing::TestWithParam<Case> {};

TEST_P(ContainerTest, Verdict) {
  std::string want = GetParam().want;
  // "@" stands for the container's path.
  for (size_t at = want.find('@'); at != std::string::npos; at = want.find('@'))
    want.replace(at, 1, kContainer);
  EXPECT_EQ(Verdict(WithContainer(GetParam().manifest)), want) << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, ContainerTest,
    testing::ValuesIn(std::vector<Case>{
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
        // probes
        {R"({"livenessProbe":{"httpGet":{"path":"/"}},"startupProbe":{"tcpSocket":{}}})", ""},
        {R"({"livenessProbe":{}})",
         "expected exactly one, got neither: @livenessProbe.exec, @livenessProbe.grpc, "
         "@livenessProbe.httpGet, @livenessProbe.tcpSocket"},
        {R"({"readinessProbe":{"httpGet":{},"exec":{"command":["x"]}}})",
         "expected exactly one, got both: @readinessProbe.exec, @readinessProbe.httpGet"},
        {R"({"livenessProbe":{"httpGet":{"port":"web"},"tcpSocket":{"port":"web"}}})",
         "expected exactly one, got both: @livenessProbe.httpGet, @livenessProbe.tcpSocket\n"
         "invalid value: web: @livenessProbe.tcpSocket.httpGet.port, "
         "@livenessProbe.tcpSocket.port\nProbe port must match container port"},
        {R"({"readinessProbe":{"grpc":{"port":8080}}})", ""},
        {R"({"readinessProbe":{"exec":{"command":["true"]},"periodSeconds":5,"timeoutSeconds":2}})",
         ""},
        {R"({"livenessProbe":{"terminationGracePeriodSeconds":5,"tcpSocket":{}}})", ""},
        {R"({"readinessProbe":{"httpGet":{"port":"web"}}})",
         "invalid value: web: @readinessProbe.httpGet.port\nProbe port must match container port"},
        {R"({"readinessProbe":{"httpGet":{"port":"http"}}})", ""},
        {R"({"readinessProbe":{"tcpSocket":{"port":"web"}}})",
         "invalid value: web: @readinessProbe.tcpSocket.port\nProbe port must match container "
         "port"},
        {R"({"readinessProbe":{"failureThreshold":3}})",
         "failureThreshold is disallowed when periodSeconds is zero: "
         "@readinessProbe.failureThreshold"},
        {R"({"readinessProbe":{"timeoutSeconds":3}})",
         "timeoutSeconds is disallowed when periodSeconds is zero: @readinessProbe.timeoutSeconds"},
        {R"({"readinessProbe":{"periodSeconds":-1}})",
         "expected 0 <= -1 <= 2147483647: @readinessProbe.periodSeconds"},
        {R"({"readinessProbe":{"successThreshold":-1}})",
         "expected 1 <= -1 <= 2147483647: @readinessProbe.successThreshold"},
        {R"({"readinessProbe":{"initialDelaySeconds":-1}})",
         "expected 0 <= -1 <= 2147483647: @readinessProbe.initialDelaySeconds"},
        {R"({"readinessProbe":{"periodSeconds":1,"timeoutSeconds":-1}})",
         "expected 1 <= -1 <= 2147483647: @readinessProbe.timeoutSeconds"},
        {R"({"readinessProbe":{"periodSeconds":1,"failureThreshold":-1}})",
         "expected 1 <= -1 <= 2147483647: @readinessProbe.failureThreshold"},
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

// ---- volumes: the first container mounts "v" at /v

class VolumeTest : public testing::TestWithParam<Case> {};

TEST_P(VolumeTest, Verdict) {
  std::string want = GetParam().want;
  for (size_t at = want.find('@'); at != std::string::npos; at = want.find('@'))
    want.replace(at, 1, "spec.template.spec.volumes[0]");
  const std::string patch =
      R"({"volumes":[)" + GetParam().manifest +
      R"(],"containers":[{"image":"a/b","volumeMounts":[{"name":"v","mountPath":"/v"}]}]})";
  EXPECT_EQ(Verdict(WithSpec(patch)), want) << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, VolumeTest,
    testing::ValuesIn(std::vector<Case>{
        {R"({"name":"v","secret":{"secretName":"s"}})", ""},
        {R"({"name":"v","configMap":{"name":"c","items":[{"key":"k","path":"p"}]}})", ""},
        {R"({"name":"v","emptyDir":{"medium":"Memory","sizeLimit":"1Gi"}})", ""},
        {R"({"name":"v","projected":{"sources":[{"secret":{"name":"s"}},{"configMap":{"name":"c"}},{"serviceAccountToken":{"path":"t"}},{"downwardAPI":{"items":[{"path":"p","fieldRef":{}}]}}]}})",
         ""},
        {R"({"name":"v"})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret"},
        {R"({"name":"v","secret":{},"configMap":{}})",
         "expected exactly one, got both: @.configMap, @.secret"},
        {R"({"name":"v","hostPath":{"path":"/"}})",
         "HostPath volume support is disabled, but found HostPath volume v: \nmust not set the "
         "field(s): @.hostPath"},
        {R"({"name":"v","persistentVolumeClaim":{"claimName":"c","readOnly":true}})",
         "Persistent volume claim support is disabled, but found persistent volume claim c: \nmust "
         "not set the field(s): @.persistentVolumeClaim\n"
         "volume is readOnly but volume mount is not: "
         "spec.template.spec.containers[0].volumeMounts[0].readOnly"},
        {R"({"name":"v","nfs":{"server":"s"}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust "
         "not set the field(s): @.nfs"},
        {R"({"name":"v","secret":{"items":[{}]}})",
         "missing field(s): @.items[0].key, @.items[0].path"},
        {R"({"name":"v","emptyDir":{"medium":"Disk"}})", "invalid value: Disk: @.emptyDir.medium"},
        {R"({"name":"v","emptyDir":{"sizeLimit":"-1"}})",
         "invalid value: -1: @.emptyDir.sizeLimit"},
        {R"({"name":"v","projected":{"sources":[{}]}})",
         "expected exactly one, got neither: @.projected[0].configMap, @.projected[0].downwardAPI, "
         "@.projected[0].secret, @.projected[0].serviceAccountToken"},
        {R"({"name":"v","projected":{"sources":[{"secret":{}}]}})",
         "missing field(s): @.projected[0].secret.name"},
        {R"({"name":"v","projected":{"sources":[{"configMap":{"items":[{"key":"a"}]}}]}})",
         "missing field(s): @.projected[0].configMap.items[0].path, "
         "@.projected[0].configMap.name"},
        {R"({"name":"v","projected":{"sources":[{"serviceAccountToken":{"audience":"a"}}]}})",
         "missing field(s): @.projected[0].serviceAccountToken.path"},
        {R"({"name":"v","projected":{"sources":[{"downwardAPI":{"items":[{"fieldRef":{},"resourceFieldRef":{}},{"path":"p"}]}}]}})",
         "Within a single item, cannot set both: @.projected[0].downwardAPI.items[0].fieldRef, "
         "@.projected[0].downwardAPI.items[0].resourceFieldRef\n"
         "expected exactly one, got neither: @.projected[0].downwardAPI.items[1].fieldRef, "
         "@.projected[0].downwardAPI.items[1].resourceFieldRef\n"
         "missing field(s): @.projected[0].downwardAPI.items[0].path"},
        {R"({"name":"v","projected":{"sources":[{"secret":{"name":"s"},"configMap":{"name":"c"}}]}})",
         "expected exactly one, got both: @.projected[0].configMap, @.projected[0].secret"},
    }));

// ---- volumes and more behind gates

TEST(GatesTest, VolumesThatAreGatedWantTheGateEnabled) {
  struct Gated {
    const char* field;
    const char* source;
    const char* feature;
    const char* message;
  };
  for (const Gated& g :
       {Gated{"emptyDir", "{}", "kubernetes.podspec-volumes-emptydir",
              "EmptyDir volume support is disabled, but found EmptyDir volume v: "},
        Gated{"hostPath", R"({"path":"/a"})", "kubernetes.podspec-volumes-hostpath",
              "HostPath volume support is disabled, but found HostPath volume v: "},
        Gated{"csi", R"({"driver":"d"})", "kubernetes.podspec-volumes-csi",
              "CSI volume support is disabled, but found CSI volume v: "},
        Gated{"ephemeral", "{}", "kubernetes.podspec-volumes-ephemeral",
              "Ephemeral volume support is disabled, but found Ephemeral volume v: "},
        Gated{"image", R"({"reference":"a/b"})", "kubernetes.podspec-volumes-image",
              "Image volume support is disabled, but found Image volume v: "}}) {
    const Json service = WithSpec(
        std::string(R"({"volumes":[{"name":"v",")") + g.field + "\":" + g.source +
        R"(}],"containers":[{"image":"a/b","volumeMounts":[{"name":"v","mountPath":"/v"}]}]})");
    EXPECT_EQ(Verdict(service, WithFeature(g.feature, Flag::kDisabled)),
              std::string(g.message) +
                  "\nmust not set the field(s): spec.template.spec.volumes[0]." + g.field);
    EXPECT_EQ(Verdict(service, WithFeature(g.feature, Flag::kAllowed)), g.message);
    EXPECT_EQ(Verdict(service, WithFeature(g.feature)), "") << g.field;
  }
}

TEST(GatesTest, ClaimsWantOneGateToBeReadAndAnotherToBeWritten) {
  const auto with = [](const std::string& claim, const std::string& mount) {
    return WithSpec(
        R"({"volumes":[{"name":"v","persistentVolumeClaim":)" + claim +
        R"(}],"containers":[{"image":"a/b","volumeMounts":[{"name":"v","mountPath":"/v")" + mount +
        "}]}]}");
  };
  const std::string writable = R"({"claimName":"c"})";
  const std::string read_only = R"({"claimName":"c","readOnly":true})";
  ServingConfig config = WithFeature("kubernetes.podspec-persistent-volume-claim");
  EXPECT_EQ(Verdict(with(read_only, R"(,"readOnly":true)"), config), "");
  EXPECT_EQ(Verdict(with(read_only, ""), config),
            "volume is readOnly but volume mount is not: "
            "spec.template.spec.containers[0].volumeMounts[0].readOnly");
  EXPECT_EQ(Verdict(with(writable, ""), config),
            "Persistent volume write support is disabled, but found persistent volume claim c that "
            "is not read-only: ");
  config.features.Set("kubernetes.podspec-persistent-volume-write", Flag::kEnabled);
  EXPECT_EQ(Verdict(with(writable, ""), config), "");
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

TEST(ContainersTest, ThePlatformsPortsAreReserved) {
  for (const std::string port : {"8008", "8012", "8013", "8022", "9090", "9091"}) {
    EXPECT_EQ(Verdict(WithContainer(R"({"ports":[{"containerPort":)" + port + "}]}")),
              "invalid value: " + port + " is a reserved port: spec.template.spec.containers[0].ports.containerPort\n" +
                  port + " is a reserved port, please use a different value");
  }
}

TEST(VolumesTest, NamesAndMounts) {
  const auto with = [](const std::string& volumes, const std::string& mounts) {
    return Verdict(WithSpec(R"({"volumes":)" + volumes +
                            R"(,"containers":[{"image":"a/b","volumeMounts":)" + mounts + "}]}"));
  };
  const std::string secret = R"([{"name":"v","secret":{"secretName":"s"}}])";
  EXPECT_EQ(with(secret, "[]"),
            "volume with name \"v\" not mounted: spec.template.spec.volumes[0].name");
  EXPECT_EQ(with(R"([{"name":"v","secret":{}},{"name":"v","secret":{}}])",
                 R"([{"name":"v","mountPath":"/v"}])"),
            "duplicate volume name \"v\": spec.template.spec.volumes[1].name");
  EXPECT_EQ(with(R"([{"name":"V","secret":{}}])", R"([{"name":"V","mountPath":"/v"}])"),
            "invalid value: V: spec.template.spec.volumes[0].name");
  EXPECT_EQ(with(R"([{"secret":{}}])", R"([{"name":"","mountPath":"/v"}])"),
            "missing field(s): spec.template.spec.volumes[0].name");
  EXPECT_EQ(with(secret, R"([{"name":"v"}])"),
            "missing field(s): spec.template.spec.containers[0].volumeMounts[0].mountPath");
  for (const std::string& path :
       std::vector<std::string>{"/", "/dev", "/dev/log", "//dev/../dev/"}) {
    EXPECT_THAT(
        with(secret, R"([{"name":"v","mountPath":")" + path + "\"}]"),
        HasSubstr(
            "is a reserved path: spec.template.spec.containers[0].volumeMounts[0].mountPath"));
  }
  EXPECT_EQ(with(secret, R"([{"name":"v","mountPath":"rel"}])"),
            "invalid value: rel: spec.template.spec.containers[0].volumeMounts[0].mountPath");
  EXPECT_EQ(with(secret, R"([{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/a/"}])"),
            "invalid value: \"/a/\" must be unique: "
            "spec.template.spec.containers[0].volumeMounts[1].mountPath");
  EXPECT_EQ(
      with(secret, R"([{"name":"v","mountPath":"/a","subPathExpr":"x"}])"),
      "must not set the field(s): spec.template.spec.containers[0].volumeMounts[0].subPathExpr");
  EXPECT_EQ(
      with(secret, R"([{"name":"v","mountPath":"/a","recursiveReadOnly":"Enabled"}])"),
      "must not set the field(s): spec.template.spec.containers[0].volumeMounts[0].recursiveReadOnly");
  EXPECT_EQ(with(secret, R"([{"name":"v","mountPath":"/a","mountPropagation":"Bidirectional"}])"),
            "Volume Mount Propagation support is disabled, but found volume mount v with mount "
            "propagation: \n"
            "mount propagation should be set to None or HostToContainer: "
            "spec.template.spec.containers[0].volumeMounts[0].mountPropagation\n"
            "must not set the field(s): "
            "spec.template.spec.containers[0].volumeMounts[0].mountPropagation");
}

// ---- annotations of the template

struct AnnotationCase {
  std::string key;
  std::string value;
  std::string want;  // "@" stands for the annotation's path
};

class AnnotationTest : public testing::TestWithParam<AnnotationCase> {};

TEST_P(AnnotationTest, Verdict) {
  const AnnotationCase& c = GetParam();
  std::string want = c.want;
  const std::string path = "spec.template.metadata.annotations." + c.key;
  for (size_t at = want.find('@'); at != std::string::npos; at = want.find('@'))
    want.replace(at, 1, path);
  EXPECT_EQ(Verdict(WithTemplateAnnotation(c.key, c.value)), want) << c.key << "=" << c.value;
}

constexpr const char* kA = "autoscaling.knative.dev/";

std::vector<AnnotationCase> ScalingCases() {
  const auto a = [](const char* key) { return kA + std::string(key); };
  return {
      {a("class"), "kpa.autoscaling.knative.dev", ""},
      {a("class"), "hpa.autoscaling.knative.dev", ""},
      {a("class"), "mine.example.com", ""},
      {a("class"), "x.knative.dev", "invalid value: x.knative.dev: @"},
      {a("metric"), "concurrency", ""},
      {a("metric"), "rps", ""},
      {a("metric"), "cpu", "invalid value: cpu: @"},
      {a("target"), "0.01", ""},
      {a("target"), "0.009", "target 0.009 should be at least 0.01: @"},
      {a("target"), "x", "invalid value: x: @"},
      {a("target-utilization-percentage"), "70", ""},
      {a("target-utilization-percentage"), "0.5", "expected 1 <= 0.5 <= 100: @"},
      {a("targetUtilizationPercentage"), "101", "expected 1 <= 101 <= 100: @"},
      {a("min-scale"), "3", ""},
      {a("min-scale"), "-1", "expected 0 <= -1 <= 2147483647: @"},
      {a("min-scale"), "3000000000", "expected 0 <= 3000000000 <= 2147483647: @"},
      {a("min-scale"), "1.5", "invalid value: 1.5: @"},
      {a("minScale"), "x", "invalid value: x: @"},
      {a("max-scale"), "0", ""},
      {a("maxScale"), "-2", "expected 0 <= -2 <= 2147483647: @"},
      {a("initial-scale"), "1", ""},
      {a("initial-scale"), "0", "invalid value: 0: @=0 not allowed by cluster"},
      {a("initial-scale"), "-1", "invalid value: -1: @ must be greater than 0"},
      {a("initialScale"), "x", "invalid value: x: @"},
      {a("activation-scale"), "2", ""},
      {a("activation-scale"), "1", "activation-scale=1 must be greater than 1: @"},
      {a("activation-scale"), "x", "invalid value: x: @"},
      {a("scale-down-delay"), "15m", ""},
      {a("scale-down-delay"), "2h", "expected 0s <= 2h <= 1h0m0s: @"},
      {a("scale-down-delay"), "1.5s", "must be specified with at most second precision: @"},
      {a("scaleDownDelay"), "x", "invalid value: x: @"},
      {a("scale-to-zero-pod-retention-period"), "1.5s", ""},
      {a("scale-to-zero-pod-retention-period"), "-1s", "expected 0s <= -1s <= 1h0m0s: @"},
      {a("scaleToZeroPodRetentionPeriod"), "x", "invalid value: x: @"},
      {a("window"), "6s", ""},
      {a("window"), "5s", "expected 6s <= 5s <= 1h0m0s: @"},
      {a("window"), "61m", "expected 6s <= 61m <= 1h0m0s: @"},
      {a("window"), "6500ms", "must be specified with at most second precision: @"},
      {a("window"), "x", "invalid value: x: @"},
      {a("panic-window-percentage"), "10", ""},
      {a("panic-window-percentage"), "0.5", "expected 1 <= 0.5 <= 100: @"},
      {a("panicWindowPercentage"), "x", "invalid value: x: @"},
      {a("panic-threshold-percentage"), "110", ""},
      {a("panic-threshold-percentage"), "109", "expected 110 <= 109 <= 1000: @"},
      {a("panicThresholdPercentage"), "x", "invalid value: x: @"},
      {a("target-burst-capacity"), "-1", ""},
      {a("target-burst-capacity"), "-2", "invalid value: -2: @"},
      {a("targetBurstCapacity"), "x", "invalid value: x: @"},
      {a("metric-aggregation-algorithm"), "anything", ""},
  };
}

INSTANTIATE_TEST_SUITE_P(Scaling, AnnotationTest, testing::ValuesIn(ScalingCases()));

INSTANTIATE_TEST_SUITE_P(
    Others, AnnotationTest,
    testing::ValuesIn(std::vector<AnnotationCase>{
        {"serving.knative.dev/progress-deadline", "60s", ""},
        {"serving.knative.dev/progress-deadline", "x", "invalid value: x: @"},
        {"serving.knative.dev/progress-deadline", "1.5s",
         "progress-deadline=1.5s is not at second precision: @"},
        {"serving.knative.dev/progress-deadline", "-1s",
         "progress-deadline=-1s must be positive: @"},
        {"networking.knative.dev/ingress-class", "x", ""},
        {"networking.knative.dev/nonsense", "x",
         "invalid key name \"networking.knative.dev/nonsense\": "
         "spec.template.metadata.annotations"},
        {"queue.sidecar.serving.knative.dev/cpu-resource-request", "25m", ""},
        {"queue.sidecar.serving.knative.dev/cpu-resource-request", "x",
         "invalid value: x: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative."
         "dev/cpu-resource-request]"},
        {"queue.sidecar.serving.knative.dev/resource-percentage", "200",
         "expected 0.1 <= 200 <= 100: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative."
         "dev/resource-percentage]"},
        {"queue.sidecar.serving.knative.dev/memory-resource-limit", "1Gi", ""},
        {"queue.sidecar.serving.knative.dev/memory-resource-limit", "much",
         "invalid value: much: "
         "spec.template.metadata.annotations.[queue.sidecar.serving.knative."
         "dev/memory-resource-limit]"},
        {"queue.sidecar.serving.knative.dev/ephemeral-storage-resource-request", "1Gi", ""},
        {"queue.sidecar.serving.knative.dev/resourcePercentage", "50", ""},
        {"features.knative.dev/queueproxy-podinfo", "enabled", ""},
        {"networking.knative.dev/disable-external-domain-tls", "true", ""},
        {"networking.knative.dev/http-protocol", "redirected", ""},
        {"networking.knative.dev/certificate-class", "x", ""},
        {"serving.knative.dev/no-gc", "true", ""},
        {"features.knative.dev/http-full-duplex", "Enabled", ""},
        {"anything.example.com/x", "y", ""}}));

TEST(AnnotationsTest, ThatGoTogether) {
  Json service = Service();
  Json& annotations = service["spec"]["template"]["metadata"]["annotations"];
  annotations =
      Json{{"autoscaling.knative.dev/min-scale", "5"}, {"autoscaling.knative.dev/max-scale", "3"}};
  EXPECT_EQ(Verdict(service),
            "max-scale=3 is less than min-scale=5: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/max-scale, "
            "spec.template.metadata.annotations.autoscaling.knative.dev/min-scale");
  annotations = Json{{"autoscaling.knative.dev/min-scale", "5"},
                     {"autoscaling.knative.dev/activation-scale", "3"}};
  EXPECT_EQ(Verdict(service),
            "min-scale=5 is greater than activation-scale=3: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/activation-scale");
  annotations = Json{{"autoscaling.knative.dev/max-scale", "2"},
                     {"autoscaling.knative.dev/activation-scale", "3"}};
  EXPECT_EQ(Verdict(service),
            "max-scale=2 is less than activation-scale=3: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/activation-scale");
  annotations = Json{{"autoscaling.knative.dev/class", "hpa.autoscaling.knative.dev"},
                     {"autoscaling.knative.dev/metric", "cpu"}};
  EXPECT_EQ(Verdict(service), "");
  annotations = Json{{"autoscaling.knative.dev/class", "kpa.autoscaling.knative.dev"},
                     {"autoscaling.knative.dev/metric-aggregation-algorithm", "median"}};
  EXPECT_EQ(
      Verdict(service),
      "invalid value: median: "
      "spec.template.metadata.annotations.autoscaling.knative.dev/metric-aggregation-algorithm");
  annotations = Json{{"updraft.dev/schedule", "3 from 0 25 * * * for 1h"}};
  EXPECT_THAT(Verdict(service),
              HasSubstr("invalid value: 3 from 0 25 * * * for 1h: "
                        "spec.template.metadata.annotations.updraft.dev/schedule"));
  EXPECT_THAT(Verdict(service), HasSubstr("hour \"25\""));
  annotations = Json{{"updraft.dev/schedule", "zone Europe/Berlin; 3 from 0 8 * * 1-5 for 10h"}};
  EXPECT_EQ(Verdict(service), "");
  annotations = Json{{"updraft.dev/keep-alive", "always"}};
  EXPECT_EQ(Verdict(service),
            "invalid value: always: spec.template.metadata.annotations.updraft.dev/keep-alive\n"
            "\"adaptive\" is wanted");
  annotations = Json{{"updraft.dev/silent-stream-timeout", "2h"}};
  EXPECT_EQ(
      Verdict(service),
      "invalid value: 2h: spec.template.metadata.annotations.updraft.dev/silent-stream-timeout"
      "\na duration of 1s to 1h is wanted");
  ServingConfig limited;
  limited.autoscaler.max_scale_limit = 10;
  annotations = Json{{"autoscaling.knative.dev/max-scale", "11"}};
  EXPECT_EQ(Verdict(service, limited),
            "expected 1 <= 11 <= 10: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/max-scale");
  annotations = Json{{"autoscaling.knative.dev/max-scale", "0"}};
  EXPECT_EQ(Verdict(service, limited),
            "max-scale=0 (unlimited), must be less than 10: "
            "spec.template.metadata.annotations.autoscaling.knative.dev/max-scale");
}

// ---- traffic

class TrafficTest : public testing::TestWithParam<Case> {};

TEST_P(TrafficTest, Verdict) {
  EXPECT_EQ(Verdict(WithTraffic(GetParam().manifest)), GetParam().want) << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, TrafficTest,
    testing::ValuesIn(std::vector<Case>{
        {R"([{"percent":100}])", ""},
        {R"([{"percent":90,"revisionName":"hello-00001"},{"percent":10,"tag":"next"}])", ""},
        {R"([{"percent":99}])", "Traffic targets sum to 99, want 100: spec.traffic"},
        {R"([{"percent":60},{"percent":60}])",
         "Traffic targets sum to 120, want 100: spec.traffic"},
        {R"([{"percent":101},{"percent":-1}])",
         "expected 0 <= -1 <= 100: spec.traffic[1].percent\nexpected 0 <= 101 <= 100: "
         "spec.traffic[0].percent"},
        {R"([{"percent":100,"revisionName":"x","latestRevision":true}])",
         "may not set revisionName \"x\" when latestRevision is true: "
         "spec.traffic[0].latestRevision"},
        {R"([{"percent":100,"latestRevision":false}])",
         "may not set revisionName \"\" when latestRevision is false: "
         "spec.traffic[0].latestRevision"},
        {R"([{"percent":100,"configurationName":"c"}])",
         "must not set the field(s): spec.traffic[0].configurationName"},
        {R"([{"percent":100,"url":"http://x"}])", "must not set the field(s): spec.traffic[0].url"},
        {R"([{"percent":100,"tag":"a"},{"tag":"a"}])",
         "Multiple definitions for \"a\": spec.traffic[0].tag, spec.traffic[1].tag"},
        {R"([{"percent":100,"revisionName":"a b"}])",
         "invalid key name \"a b\": spec.traffic[0].revisionName\nname part must consist of "
         "alphanumeric characters, '-', '_' or '.', and must start and "
         "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
         "used for validation is "
         "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
    }));

TEST(TrafficTest, TagsAreLabels) {
  EXPECT_THAT(Verdict(WithTraffic(R"([{"percent":100,"tag":"Bad_Tag"}])")),
              HasSubstr("invalid value: not a DNS 1035 label: [a DNS-1035 label must"));
  EXPECT_THAT(Verdict(WithTraffic(R"([{"percent":100,"tag":"Bad_Tag"}])")),
              HasSubstr(": spec.traffic.tag[0]"));
}

TEST(TrafficTest, OfARoute) {
  Json route = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Route","metadata":{"name":"r"},"spec":{"traffic":[{"percent":100}]}})");
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"),
            "expected exactly one, got neither: spec.traffic[0].configurationName, "
            "spec.traffic[0].revisionName");
  route["spec"]["traffic"] = Json::parse(R"([{"percent":100,"configurationName":"c"}])");
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"), "");
  route["spec"]["traffic"] =
      Json::parse(R"([{"percent":100,"configurationName":"c","revisionName":"r"}])");
  EXPECT_THAT(Verdict(route, {}, nullptr, "rt"),
              HasSubstr("expected exactly one, got both: spec.traffic[0].configurationName, "
                        "spec.traffic[0].revisionName"));
  route["spec"]["traffic"] = Json::array();
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"), "Traffic targets sum to 0, want 100: spec.traffic");
}

// ---- metadata and updates

TEST(MetadataTest, Names) {
  Json service = Service();
  service["metadata"]["name"] = "hello.world";
  EXPECT_THAT(Verdict(service),
              HasSubstr("not a DNS 1035 label: [a DNS-1035 label must consist of"));
  EXPECT_THAT(Verdict(service), HasSubstr("]: metadata.name"));
  service["metadata"]["name"] = std::string(64, 'a');
  EXPECT_EQ(Verdict(service),
            "not a DNS 1035 label: [must be no more than 63 characters]: metadata.name");
  service["metadata"].erase("name");
  EXPECT_EQ(Verdict(service), "name or generateName is required: metadata.name");
  service["metadata"]["generateName"] = "1bad-";
  EXPECT_THAT(Verdict(service), HasSubstr("not a DNS 1035 label prefix: ["));
  EXPECT_THAT(Verdict(service), HasSubstr(": metadata.generateName"));
}

TEST(MetadataTest, ScalingAnnotationsBelongToTheTemplate) {
  Json service = Service();
  SetAnnotation(service, "autoscaling.knative.dev/min-scale", "1");
  EXPECT_EQ(
      Verdict(service),
      "invalid key name \"autoscaling.knative.dev/min-scale\": metadata.annotations\n"
      "autoscaling annotations must be put under \"spec.template.metadata.annotations\" to work");
  service = Service();
  SetAnnotation(service, "updraft.dev/schedule", "1 from 0 8 * * * for 1h");
  EXPECT_THAT(Verdict(service),
              HasSubstr("invalid key name \"updraft.dev/schedule\": metadata.annotations"));
}

TEST(MetadataTest, RolloutDuration) {
  for (const auto& [value, want] : std::vector<std::pair<std::string, std::string>>{
           {"20s", ""},
           {"x", "invalid value: x: metadata.annotations.serving.knative.dev/rollout-duration"},
           {"1500ms",
            "rollout-duration=1500ms is not at second precision: "
            "metadata.annotations.serving.knative.dev/rollout-duration"},
           {"-5s",
            "rollout-duration=-5s must be positive: "
            "metadata.annotations.serving.knative.dev/rollout-duration"}}) {
    for (const std::string key : {"serving.knative.dev/rollout-duration", "serving.knative.dev/rolloutDuration"}) {
      Json service = Service();
      SetAnnotation(service, key, value);
      std::string wanted = want;
      if (const size_t at = wanted.rfind("serving.knative.dev/"); at != std::string::npos) wanted.replace(at, wanted.npos, key);
      EXPECT_EQ(Verdict(service), wanted);
    }
  }
}

TEST(MetadataTest, OwnerLabelsNeedTheOwner) {
  Json route = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Route","metadata":{"name":"r","labels":{"serving.knative.dev/service":"s"}},
                           "spec":{"traffic":[{"percent":100,"configurationName":"c"}]}})");
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"),
            "missing field(s): metadata.labels.serving.knative.dev/service");
  route["metadata"]["ownerReferences"] =
      Json::parse(R"([{"kind":"Service","name":"s","uid":"1","apiVersion":"v"}])");
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"), "");
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
  EXPECT_THAT(Verdict(service), HasSubstr("invalid value: not a DNS 1035 label: ["));
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

// ---- Kubernetes' own rules

struct CoreCase {
  const char* kind;
  const char* object;
  const char* field;
  const char* message;
};

class KubernetesRuleTest : public testing::TestWithParam<CoreCase> {};

TEST_P(KubernetesRuleTest, IsKept) {
  const auto problems =
      ValidateKubernetes(KindNamed(GetParam().kind), Json::parse(GetParam().object), nullptr);
  ASSERT_EQ(problems.size(), 1U) << GetParam().object;
  EXPECT_EQ(problems[0].field, GetParam().field);
  EXPECT_THAT(problems[0].message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, KubernetesRuleTest,
    testing::Values(
        CoreCase{"cm", R"({"metadata":{"name":"A"}})", "metadata.name",
                 "Invalid value: \"A\": a lowercase RFC 1123 subdomain"},
        CoreCase{"cm", R"({"metadata":{}})", "metadata.name",
                 "Required value: name or generateName is required"},
        CoreCase{"ns", R"({"metadata":{"name":"a.b"}})", "metadata.name", "must not contain dots"},
        CoreCase{"cm", R"({"metadata":{"name":"a","labels":{"a b":"c"}}})", "metadata.labels",
                 "Invalid value: \"a b\": name part must consist"},
        CoreCase{"ksvc", R"({"metadata":{"name":"a","labels":{"a":"b c"}}})", "metadata.labels",
                 "Invalid value: \"b c\": a valid label must be"},
        CoreCase{"cm", R"({"metadata":{"name":"a","annotations":{"/x":"c"}}})",
                 "metadata.annotations", "prefix part must be non-empty"},
        CoreCase{"cm", R"({"metadata":{"name":"a","finalizers":["a b"]}})", "metadata.finalizers",
                 "name part must consist"},
        CoreCase{
            "cm",
            R"({"metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"k","name":"n"}]}})",
            "metadata.ownerReferences.uid", "must not be empty"},
        CoreCase{"cm", R"({"metadata":{"name":"a"},"data":{"a/b":"c"}})", "data[a/b]",
                 "a valid config key must consist"},
        CoreCase{"cm", R"({"metadata":{"name":"a"},"data":{"a":"c"},"binaryData":{"a":"eA=="}})",
                 "data[a]", "duplicate of key"},
        CoreCase{"cm", R"({"metadata":{"name":"a"},"binaryData":{"a":"x"}})", "binaryData[a]",
                 "illegal base64"},
        CoreCase{"secret", R"({"metadata":{"name":"a"},"data":{"a":"not base64"}})", "data[a]",
                 "illegal base64"},
        CoreCase{"secret",
                 R"({"metadata":{"name":"a"},"type":"kubernetes.io/tls","data":{"tls.crt":""}})",
                 "data[tls.key]", "Required value"},
        CoreCase{
            "secret",
            R"({"metadata":{"name":"a"},"type":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":"eA=="}})",
            "data[.dockerconfigjson]", "redacted"}));

TEST(KubernetesRulesTest, OnUpdates) {
  const Json old = Json::parse(
      R"({"metadata":{"name":"a","deletionTimestamp":"x","finalizers":["a/b"]},"immutable":true,"data":{"a":"1"}})");
  Json changed = old;
  changed["data"]["a"] = "2";
  changed["metadata"]["finalizers"].push_back("c/d");
  const auto problems = ValidateKubernetes(KindNamed("cm"), changed, &old);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].reason, "FieldValueForbidden");
  EXPECT_THAT(problems[1].message, HasSubstr("field is immutable"));
}

}  // namespace
}  // namespace updraft::api
