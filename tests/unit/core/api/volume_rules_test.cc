// Knative's rules for volumes and their mounts, with their exact texts (reference 1.4).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

class VolumeTest : public testing::TestWithParam<ManifestCase> {};

TEST_P(VolumeTest, Verdict) {
  const std::string want = WithPathOf("spec.template.spec.volumes[0]", GetParam().want);
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
        {R"({"name":"v","secret":{}})", ""},
        {R"({"name":"v","secret":{"secretName":"s","items":[{"key":"k","path":"p","mode":256}],"defaultMode":420,"optional":true}})",
         ""},
        {R"({"name":"v","configMap":{"name":"c","items":[{"key":"k"},{"path":"p"}]}})",
         "missing field(s): @.items[0].path, @.items[1].key"},
        {R"({"name":"v","projected":{}})", ""},
        {R"({"name":"v","projected":{"sources":[]}})", ""},
        {R"({"name":"v","projected":{"sources":[{"secret":{"name":"s","items":[{}]}}]}})",
         "missing field(s): @.projected[0].secret.items[0].key, @.projected[0].secret.items[0].path"},
        {R"({"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"p","audience":"a","expirationSeconds":600}}]}})",
         ""},
        {R"({"name":"v","projected":{"sources":[{"downwardAPI":{"items":[{"path":"p","resourceFieldRef":{"resource":"limits.cpu"}}]}}]}})",
         ""},
        {R"({"name":"v","projected":{"sources":[{"clusterTrustBundle":{"path":"x"}}]}})",
         "expected exactly one, got neither: @.projected[0].configMap, @.projected[0].downwardAPI, "
         "@.projected[0].secret, @.projected[0].serviceAccountToken\nmust not set the field(s): "
         "@.projected[0].clusterTrustBundle"},
        {R"({"name":"v","projected":{"sources":[{"podCertificate":{"signerName":"x","keyType":"y"}}]}})",
         "expected exactly one, got neither: @.projected[0].configMap, @.projected[0].downwardAPI, "
         "@.projected[0].secret, @.projected[0].serviceAccountToken\nmust not set the field(s): "
         "@.projected[0].podCertificate"},
        {R"({"name":"v","emptyDir":{}})", ""},
        {R"({"name":"v","emptyDir":{"medium":"HugePages","sizeLimit":"-1Gi"}})",
         "invalid value: -1Gi: @.emptyDir.sizeLimit\ninvalid value: HugePages: @.emptyDir.medium"},
        {R"({"name":"v","emptyDir":{"sizeLimit":"-1024Ki"}})", "invalid value: -1Mi: @.emptyDir.sizeLimit"},
        {R"({"name":"v","emptyDir":{"sizeLimit":"0"}})", ""},
        {R"({"name":"v","emptyDir":{},"secret":{},"hostPath":{"path":"/"}})",
         "HostPath volume support is disabled, but found HostPath volume v: \nexpected exactly one, got "
         "both: @.emptyDir, @.hostPath, @.secret\nmust not set the field(s): @.hostPath"},
        {R"({"name":"v","awsElasticBlockStore":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.awsElasticBlockStore"},
        {R"({"name":"v","azureDisk":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.azureDisk"},
        {R"({"name":"v","azureFile":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.azureFile"},
        {R"({"name":"v","cephfs":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.cephfs"},
        {R"({"name":"v","cinder":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.cinder"},
        {R"({"name":"v","downwardAPI":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.downwardAPI"},
        {R"({"name":"v","fc":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.fc"},
        {R"({"name":"v","flexVolume":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.flexVolume"},
        {R"({"name":"v","flocker":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.flocker"},
        {R"({"name":"v","gcePersistentDisk":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.gcePersistentDisk"},
        {R"({"name":"v","gitRepo":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.gitRepo"},
        {R"({"name":"v","glusterfs":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.glusterfs"},
        {R"({"name":"v","iscsi":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.iscsi"},
        {R"({"name":"v","photonPersistentDisk":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.photonPersistentDisk"},
        {R"({"name":"v","portworxVolume":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.portworxVolume"},
        {R"({"name":"v","quobyte":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.quobyte"},
        {R"({"name":"v","rbd":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.rbd"},
        {R"({"name":"v","scaleIO":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.scaleIO"},
        {R"({"name":"v","storageos":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.storageos"},
        {R"({"name":"v","vsphereVolume":{}})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.projected, @.secret\nmust not set "
         "the field(s): @.vsphereVolume"},
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

TEST(VolumesTest, OfImages) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"name":"v","image":{"reference":"a/b","pullPolicy":"Always"}})", ""},
        {R"({"name":"v","image":{}})", "missing field(s): @.image.reference"},
        {R"({"name":"v","image":{"reference":"a/b","pullPolicy":"Sometimes"}})",
         "invalid value: Sometimes: @.image.pullPolicy"},
        {R"({"name":"v","image":{"pullPolicy":"Never"}})", "missing field(s): @.image.reference"},
        {R"({"name":"v"})",
         "expected exactly one, got neither: @.configMap, @.emptyDir, @.image, @.projected, @.secret"},
       }) {
    EXPECT_EQ(Verdict(WithSpec(R"({"volumes":[)" + c.manifest +
                               R"(],"containers":[{"image":"a/b","volumeMounts":[{"name":"v","mountPath":"/v"}]}]})"),
                      WithFeature("kubernetes.podspec-volumes-image")),
              WithPathOf("spec.template.spec.volumes[0]", c.want))
        << c.manifest;
  }
}

// The volume is a directory of the instance's own; "@" stands for the mount.
TEST(MountsTest, Paths) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"name":"v","mountPath":"/a"})", ""},
        {R"({"name":"v","mountPath":"/a b"})", ""},
        {R"({"name":"v","mountPath":"/tmp"})", ""},
        {R"({"name":"v","mountPath":"/dev/shm"})", ""},
        {R"({"name":"v","mountPath":"/var/log"})", ""},
        {R"({"name":"v","mountPath":"/"})", "mountPath \"/\" is a reserved path: @.mountPath"},
        {R"({"name":"v","mountPath":"//"})", "mountPath \"/\" is a reserved path: @.mountPath"},
        {R"({"name":"v","mountPath":"/a/.."})", "mountPath \"/\" is a reserved path: @.mountPath"},
        {R"({"name":"v","mountPath":"/dev"})", "mountPath \"/dev\" is a reserved path: @.mountPath"},
        {R"({"name":"v","mountPath":"/dev/"})", "mountPath \"/dev\" is a reserved path: @.mountPath"},
        {R"({"name":"v","mountPath":"/./dev/log"})", "mountPath \"/dev/log\" is a reserved path: @.mountPath"},
        {R"({"name":"v","mountPath":"a"})", "invalid value: a: @.mountPath"},
        {R"({"name":"v","mountPath":"./a"})", "invalid value: ./a: @.mountPath"},
        {R"({"name":"v","mountPath":"../a"})", "invalid value: ../a: @.mountPath"},
        {R"({"name":"v","mountPath":"/a","subPath":"s"})", ""},
        {R"({"name":"v","mountPath":"/a","readOnly":false})", ""},
        {R"({"name":"v","mountPath":"/a","subPathExpr":""})", ""},
        {R"({"name":"v","mountPath":"/a","recursiveReadOnly":""})", "must not set the field(s): @.recursiveReadOnly"},
        {R"({"name":"w","mountPath":"/a"})",
         "volume with name \"v\" not mounted: spec.template.spec.volumes[0].name\nvolumeMount has no "
         "matching volume: @.name"},
        {R"({"mountPath":"/a"})",
         "volume with name \"v\" not mounted: spec.template.spec.volumes[0].name\nvolumeMount has no "
         "matching volume: @.name"},
       }) {
    EXPECT_EQ(Verdict(WithSpec(R"({"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"image":"a/b","volumeMounts":[)" +
                               c.manifest + "]}]}")),
              WithPathOf("spec.template.spec.containers[0].volumeMounts[0]", c.want))
        << c.manifest;
  }
}

TEST(MountsTest, PropagationWhenItIsAllowed) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"name":"v","mountPath":"/a","mountPropagation":"None"})",
         "Volume Mount Propagation support is disabled, but found volume mount v with mount propagation: "},
        {R"({"name":"v","mountPath":"/a","mountPropagation":"HostToContainer"})",
         "Volume Mount Propagation support is disabled, but found volume mount v with mount propagation: "},
        {R"({"name":"v","mountPath":"/a","mountPropagation":"Bidirectional"})",
         "Volume Mount Propagation support is disabled, but found volume mount v with mount propagation: "
         "\nmount propagation should be set to None or HostToContainer: @.mountPropagation"},
        {R"({"name":"v","mountPath":"/a","mountPropagation":""})",
         "Volume Mount Propagation support is disabled, but found volume mount v with mount propagation: "
         "\nmount propagation should be set to None or HostToContainer: @.mountPropagation"},
       }) {
    EXPECT_EQ(Verdict(WithSpec(R"({"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"image":"a/b","volumeMounts":[)" +
                               c.manifest + "]}]}"),
                      WithFeature("kubernetes.podspec-volumes-mount-propagation", Flag::kAllowed)),
              WithPathOf("spec.template.spec.containers[0].volumeMounts[0]", c.want))
        << c.manifest;
  }
}

TEST(MountsTest, PropagationWhenItIsEnabled) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"name":"v","mountPath":"/a","mountPropagation":"None"})", ""},
        {R"({"name":"v","mountPath":"/a","mountPropagation":"HostToContainer"})", ""},
        {R"({"name":"v","mountPath":"/a","mountPropagation":"Bidirectional"})",
         "mount propagation should be set to None or HostToContainer: @.mountPropagation"},
        {R"({"name":"v","mountPath":"/a","mountPropagation":""})",
         "mount propagation should be set to None or HostToContainer: @.mountPropagation"},
       }) {
    EXPECT_EQ(Verdict(WithSpec(R"({"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"image":"a/b","volumeMounts":[)" +
                               c.manifest + "]}]}"),
                      WithFeature("kubernetes.podspec-volumes-mount-propagation", Flag::kEnabled)),
              WithPathOf("spec.template.spec.containers[0].volumeMounts[0]", c.want))
        << c.manifest;
  }
}

}  // namespace
}  // namespace updraft::api
