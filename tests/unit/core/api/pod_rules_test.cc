// Knative's rules for the fields of a pod, with their exact texts: allowed, behind a feature, or never (reference 1.4).
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

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
        {"readinessGates", "[{}]", ""},
        {"serviceAccount", "\"a\"", ""},
        {"preemptionPolicy", "\"Never\"", ""},
        {"overhead", "{\"cpu\":\"1\"}", ""},
        {"setHostnameAsFQDN", "true", ""},
        {"os", "{\"name\":\"linux\"}", ""},
        {"hostUsers", "false", ""},
        {"schedulingGates", "[{\"name\":\"x\"}]", ""},
        {"resourceClaims", "[{\"name\":\"x\"}]", ""},
        {"resources", "{\"limits\":{\"cpu\":\"1\"}}", ""},
        {"hostnameOverride", "\"h\"", ""},
        {"ephemeralContainers", "[{\"name\":\"x\"}]", ""}}));

// A zero is as good as absent, but where Kubernetes holds the field by pointer.
class PodZeroTest : public testing::TestWithParam<ManifestCase> {};

TEST_P(PodZeroTest, Verdict) {
  EXPECT_EQ(Verdict(WithSpec(GetParam().manifest)), WithPathOf("spec.template.spec.", GetParam().want))
      << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, PodZeroTest,
    testing::ValuesIn(std::vector<ManifestCase>{
        {R"({"topologySpreadConstraints":[]})", ""},
        {R"({"hostAliases":[]})", ""},
        {R"({"nodeSelector":{}})", ""},
        {R"({"tolerations":[]})", ""},
        {R"({"priorityClassName":""})", ""},
        {R"({"schedulerName":""})", ""},
        {R"({"dnsPolicy":""})", ""},
        {R"({"hostIPC":false})", ""},
        {R"({"hostPID":false})", ""},
        {R"({"hostNetwork":false})", ""},
        {R"({"restartPolicy":""})", ""},
        {R"({"nodeName":""})", ""},
        {R"({"hostname":""})", ""},
        {R"({"subdomain":""})", ""},
        {R"({"readinessGates":[]})", ""},
        {R"({"initContainers":[]})", ""},
        {R"({"volumes":[]})", ""},
        {R"({"serviceAccountName":""})", ""},
        {R"({"imagePullSecrets":[]})", ""},
        {R"({"affinity":{}})", "must not set the field(s): @affinity"},
        {R"({"runtimeClassName":""})", "must not set the field(s): @runtimeClassName"},
        {R"({"shareProcessNamespace":false})", "must not set the field(s): @shareProcessNamespace"},
        {R"({"dnsConfig":{}})", "must not set the field(s): @dnsConfig"},
        {R"({"securityContext":{}})", "must not set the field(s): @securityContext"},
        {R"({"terminationGracePeriodSeconds":0})", "must not set the field(s): @terminationGracePeriodSeconds"},
        {R"({"activeDeadlineSeconds":0})", "must not set the field(s): @activeDeadlineSeconds"},
        {R"({"priority":0})", "must not set the field(s): @priority"},
        {R"({"setHostnameAsFQDN":false})", "must not set the field(s): @setHostnameAsFQDN"},
        {R"({"os":{}})", "must not set the field(s): @os"},
    }));

TEST(PodSecurityTest, WithoutItsFeature) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"securityContext":{"runAsUser":1}})", "must not set the field(s): @, @.runAsUser"},
        {R"({"securityContext":{"runAsUser":0,"runAsNonRoot":false}})",
         "must not set the field(s): @, @.runAsNonRoot, @.runAsUser"},
        {R"({"securityContext":{"seccompProfile":{"type":"RuntimeDefault"}}})",
         "must not set the field(s): @, @.seccompProfile"},
        {R"({"securityContext":{"seccompProfile":{"type":"Unconfined"}}})",
         "must not set the field(s): @, @.seccompProfile"},
        {R"({"securityContext":{"seccompProfile":{"type":"Localhost","localhostProfile":"x"}}})",
         "must not set the field(s): @, @.seccompProfile"},
        {R"({"securityContext":{"seccompProfile":{"type":"RuntimeDefault"},"runAsUser":1}})",
         "must not set the field(s): @, @.runAsUser, @.seccompProfile"},
        {R"({"securityContext":{"runAsGroup":-1}})",
         "expected 0 <= -1 <= 2147483647: @.runAsGroup\nmust not set the field(s): @, @.runAsGroup"},
        {R"({"securityContext":{"sysctls":[],"supplementalGroups":[]}})", "must not set the field(s): @"},
        {R"({"securityContext":{"fsGroupChangePolicy":""}})", "must not set the field(s): @, @.fsGroupChangePolicy"},
        {R"({"securityContext":{"supplementalGroupsPolicy":"Merge"}})",
         "must not set the field(s): @, @.supplementalGroupsPolicy"},
        {R"({"securityContext":{"appArmorProfile":{"type":"Unconfined"}}})",
         "must not set the field(s): @, @.appArmorProfile"},
       }) {
    EXPECT_EQ(Verdict(WithSpec(c.manifest), {}), WithPathOf("spec.template.spec.securityContext", c.want))
        << c.manifest;
  }
}

TEST(PodSecurityTest, UnderSecureDefaults) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"securityContext":{"runAsUser":1}})", "must not set the field(s): @.runAsUser"},
        {R"({"securityContext":{"runAsUser":0,"runAsNonRoot":false}})",
         "must not set the field(s): @.runAsNonRoot, @.runAsUser"},
        {R"({"securityContext":{"seccompProfile":{"type":"RuntimeDefault"}}})", ""},
        {R"({"securityContext":{"seccompProfile":{"type":"Unconfined"}}})", ""},
        {R"({"securityContext":{"seccompProfile":{"type":"Localhost","localhostProfile":"x"}}})",
         "must not set the field(s): @.seccompProfile"},
        {R"({"securityContext":{"seccompProfile":{"type":"RuntimeDefault"},"runAsUser":1}})",
         "must not set the field(s): @.runAsUser"},
        {R"({"securityContext":{"runAsGroup":-1}})",
         "expected 0 <= -1 <= 2147483647: @.runAsGroup\nmust not set the field(s): @.runAsGroup"},
        {R"({"securityContext":{"sysctls":[],"supplementalGroups":[]}})", ""},
        {R"({"securityContext":{"fsGroupChangePolicy":""}})", "must not set the field(s): @.fsGroupChangePolicy"},
        {R"({"securityContext":{"supplementalGroupsPolicy":"Merge"}})",
         "must not set the field(s): @.supplementalGroupsPolicy"},
        {R"({"securityContext":{"appArmorProfile":{"type":"Unconfined"}}})",
         "must not set the field(s): @.appArmorProfile"},
       }) {
    EXPECT_EQ(Verdict(WithSpec(c.manifest), WithFeature("secure-pod-defaults")), WithPathOf("spec.template.spec.securityContext", c.want))
        << c.manifest;
  }
}

TEST(PodSecurityTest, WithItsFeature) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"securityContext":{"runAsUser":1}})", ""},
        {R"({"securityContext":{"runAsUser":0,"runAsNonRoot":false}})", ""},
        {R"({"securityContext":{"seccompProfile":{"type":"RuntimeDefault"}}})", ""},
        {R"({"securityContext":{"seccompProfile":{"type":"Unconfined"}}})", ""},
        {R"({"securityContext":{"seccompProfile":{"type":"Localhost","localhostProfile":"x"}}})", ""},
        {R"({"securityContext":{"seccompProfile":{"type":"RuntimeDefault"},"runAsUser":1}})", ""},
        {R"({"securityContext":{"runAsGroup":-1}})", "expected 0 <= -1 <= 2147483647: @.runAsGroup"},
        {R"({"securityContext":{"sysctls":[],"supplementalGroups":[]}})", ""},
        {R"({"securityContext":{"fsGroupChangePolicy":""}})", "must not set the field(s): @.fsGroupChangePolicy"},
        {R"({"securityContext":{"supplementalGroupsPolicy":"Merge"}})",
         "must not set the field(s): @.supplementalGroupsPolicy"},
        {R"({"securityContext":{"appArmorProfile":{"type":"Unconfined"}}})",
         "must not set the field(s): @.appArmorProfile"},
       }) {
    EXPECT_EQ(Verdict(WithSpec(c.manifest), WithFeature("kubernetes.podspec-securitycontext", Flag::kAllowed)), WithPathOf("spec.template.spec.securityContext", c.want))
        << c.manifest;
  }
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

}  // namespace
}  // namespace updraft::api
