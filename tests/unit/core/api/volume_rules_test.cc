// Knative's rules for volumes and their mounts, with their exact texts (reference 1.4).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

class VolumeTest : public testing::TestWithParam<ManifestCase> {};

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
    testing::ValuesIn(std::vector<ManifestCase>{
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
        testing::HasSubstr(
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

}  // namespace
}  // namespace updraft::api
