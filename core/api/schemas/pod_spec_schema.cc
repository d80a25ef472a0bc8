#include "core/api/schemas/schemas.h"

namespace updraft::api {
namespace {

// A field that Knative lets through only with a feature of config-features.
Field Gated(std::string name, std::string_view feature, SchemaRef schema) {
  return {std::move(name), "Needs the feature " + std::string(feature) + ".", std::move(schema)};
}

SchemaRef KeysToPathsSchema() {
  return ListOf(
      ObjectOf("A key and the file that it becomes.",
               {{"key", "The key.", Text(), false, true},
                {"path", "Path of the file, relative to the volume.", Text(), false, true},
                Kept({"mode", "Permissions of the file.", Int32()})}));
}

std::vector<Field> ProjectionFields() {
  return {{"name", "Name of the object.", Text()},
          {"items", "Keys to take; all when absent.", KeysToPathsSchema()},
          Kept({"optional", "Whether the object may be missing.", Bool()})};
}

SchemaRef ProjectedSourceSchema() {
  return ObjectOf(
      "One source of a projected volume: exactly one of its fields.",
      {{"secret", "Keys of a Secret.", AtomicOf(ObjectOf("Keys of a Secret.", ProjectionFields()))},
       {"configMap", "Keys of a ConfigMap.",
        AtomicOf(ObjectOf("Keys of a ConfigMap.", ProjectionFields()))},
       {"serviceAccountToken", "A token of the service account.",
        ObjectOf("A token.", {{"audience", "Whom the token is for.", Text()},
                              Kept({"expirationSeconds", "How long it is valid.", Int64()}),
                              {"path", "Path of the file.", Text(), false, true}})},
       {"downwardAPI", "Fields of the pod.",
        ObjectOf("Fields of the pod.",
                 {{"items", "The files.",
                   ListOf(ObjectOf("A field and the file that it becomes.",
                                   {{"path", "Path of the file.", Text(), false, true},
                                    {"fieldRef", "The field.", AnyObject()},
                                    {"resourceFieldRef", "The resource.", AnyObject()},
                                    Kept({"mode", "Permissions of the file.", Int32()})}))}})},
       Hidden("clusterTrustBundle", AnyObject()),
       Hidden("podCertificate", AnyObject())});
}

SchemaRef PodSecurityContextSchema() {
  return ObjectOf(
      "What all containers' processes may do. Needs the feature "
      "kubernetes.podspec-securitycontext.",
      {Kept({"runAsUser", "User id of the first processes.", Int64()}),
       Kept({"runAsGroup", "Group id of the first processes.", Int64()}),
       Kept({"runAsNonRoot", "Refuses to start as user 0.", Bool()}),
       Kept({"fsGroup", "Group that owns the volumes.", Int64()}),
       {"supplementalGroups", "Further groups of the first processes.", ListOf(Int64())},
       {"seccompProfile", "The seccomp filter.", AnyObject()},
       Hidden("seLinuxOptions", AnyObject()),
       Hidden("windowsOptions", AnyObject()),
       Hidden("appArmorProfile", AnyObject()),
       Hidden("sysctls", AnyValue()),
       Kept(Hidden("supplementalGroupsPolicy", Text())),
       Kept(Hidden("seLinuxChangePolicy", Text())),
       Kept(Hidden("fsGroupChangePolicy", Text()))});
}

}  // namespace

Field Hidden(std::string name, SchemaRef schema) {
  return {std::move(name), "", std::move(schema), true};
}

SchemaRef VolumeSchema() {
  static const SchemaRef schema = ObjectOf(
      "A volume: a name and exactly one source.",
      {{"name", "Name of the volume, a DNS label.", Text(), false, true},
       {"secret", "Files from a Secret.",
        ObjectOf("Files from a Secret.",
                 {{"secretName", "Name of the Secret.", Text()},
                  {"items", "Keys to take; all when absent.", KeysToPathsSchema()},
                  Kept({"defaultMode", "Permissions of the files.", Int32()}),
                  Kept({"optional", "Whether the Secret may be missing.", Bool()})})},
       {"configMap", "Files from a ConfigMap.",
        AtomicOf(ObjectOf("Files from a ConfigMap.",
                          {{"name", "Name of the ConfigMap.", Text()},
                           {"items", "Keys to take; all when absent.", KeysToPathsSchema()},
                           Kept({"defaultMode", "Permissions of the files.", Int32()}),
                           Kept({"optional", "Whether the ConfigMap may be missing.", Bool()})}))},
       {"projected", "Files from several sources.",
        ObjectOf("Files from several sources.",
                 {{"sources", "The sources.", ListOf(ProjectedSourceSchema())},
                  Kept({"defaultMode", "Permissions of the files.", Int32()})})},
       {"emptyDir", "An empty directory that lives as long as the instance.",
        ObjectOf("An empty directory.",
                 {{"medium", "Empty or Memory.", Text()},
                  {"sizeLimit", "The most that it may hold.", QuantityText()}})},
       Gated("persistentVolumeClaim", "kubernetes.podspec-persistent-volume-claim",
             ObjectOf("What a PersistentVolumeClaim stands for.",
                      {{"claimName", "Name of the claim.", Text(), false, true, Zero::kWritten},
                       {"readOnly", "Whether nothing may write to it.", Bool()}})),
       Gated("hostPath", "kubernetes.podspec-volumes-hostpath", AnyObject()),
       Gated("csi", "kubernetes.podspec-volumes-csi", AnyObject()),
       Gated("ephemeral", "kubernetes.podspec-volumes-ephemeral", AnyObject()),
       Gated("image", "kubernetes.podspec-volumes-image", AnyObject()),
       Hidden("awsElasticBlockStore", AnyObject()),
       Hidden("azureDisk", AnyObject()),
       Hidden("azureFile", AnyObject()),
       Hidden("cephfs", AnyObject()),
       Hidden("cinder", AnyObject()),
       Hidden("downwardAPI", AnyObject()),
       Hidden("fc", AnyObject()),
       Hidden("flexVolume", AnyObject()),
       Hidden("flocker", AnyObject()),
       Hidden("gcePersistentDisk", AnyObject()),
       Hidden("gitRepo", AnyObject()),
       Hidden("glusterfs", AnyObject()),
       Hidden("iscsi", AnyObject()),
       Hidden("nfs", AnyObject()),
       Hidden("photonPersistentDisk", AnyObject()),
       Hidden("portworxVolume", AnyObject()),
       Hidden("quobyte", AnyObject()),
       Hidden("rbd", AnyObject()),
       Hidden("scaleIO", AnyObject()),
       Hidden("storageos", AnyObject()),
       Hidden("vsphereVolume", AnyObject())});
  return schema;
}

std::vector<Field> PodSpecFields() {
  const SchemaRef reference =
      AtomicOf(ObjectOf("Names an object of the same namespace.", {{"name", "Its name.", Text()}}));
  return {
      {"containers", "The containers of each instance; the one with a port serves requests.",
       ListOf(ContainerSchema()), false, true},
      {"volumes", "Volumes that containers mount.", ListByKey("name", VolumeSchema())},
      {"serviceAccountName", "Service account whose pull secrets are used.", Text()},
      {"imagePullSecrets", "Secrets with registry credentials.", ListByKey("name", reference)},
      Kept({"enableServiceLinks", "Whether services of the namespace appear as variables.", Bool()}),
      Kept({"automountServiceAccountToken", "May only be false.", Bool()}),
      Gated("affinity", "kubernetes.podspec-affinity", AnyObject()),
      Gated("topologySpreadConstraints", "kubernetes.podspec-topologyspreadconstraints",
            ListOf(AnyObject())),
      Gated("hostAliases", "kubernetes.podspec-hostaliases", ListOf(AnyObject())),
      Gated("nodeSelector", "kubernetes.podspec-nodeselector", AtomicOf(MapOf(Text()))),
      Gated("tolerations", "kubernetes.podspec-tolerations", ListOf(AnyObject())),
      Kept(Gated("runtimeClassName", "kubernetes.podspec-runtimeclassname", Text())),
      Gated("securityContext", "kubernetes.podspec-securitycontext", PodSecurityContextSchema()),
      Kept(Gated("shareProcessNamespace", "kubernetes.podspec-shareprocessnamespace", Bool())),
      Gated("priorityClassName", "kubernetes.podspec-priorityclassname", Text()),
      Gated("schedulerName", "kubernetes.podspec-schedulername", Text()),
      Gated("initContainers", "kubernetes.podspec-init-containers", ListOf(ContainerSchema())),
      Gated("dnsPolicy", "kubernetes.podspec-dnspolicy", Text()),
      Gated("dnsConfig", "kubernetes.podspec-dnsconfig", AnyObject()),
      Gated("hostIPC", "kubernetes.podspec-hostipc", Bool()),
      Gated("hostPID", "kubernetes.podspec-hostpid", Bool()),
      Gated("hostNetwork", "kubernetes.podspec-hostnetwork", Bool()),
      Hidden("restartPolicy", Text()),
      Kept(Hidden("terminationGracePeriodSeconds", Int64())),
      Kept(Hidden("activeDeadlineSeconds", Int64())),
      Hidden("nodeName", Text()),
      Hidden("hostname", Text()),
      Hidden("subdomain", Text()),
      Kept(Hidden("priority", Int32())),
      Hidden("readinessGates", AnyValue()),
      Hidden("serviceAccount", Text()),
      Hidden("ephemeralContainers", AnyValue()),
      Kept(Hidden("preemptionPolicy", Text())),
      Hidden("overhead", MapOf(AnyValue())),
      Kept(Hidden("setHostnameAsFQDN", Bool())),
      Hidden("os", AnyObject()),
      Kept(Hidden("hostUsers", Bool())),
      Hidden("schedulingGates", AnyValue()),
      Hidden("resourceClaims", AnyValue()),
      Hidden("resources", AnyObject()),
      Kept(Hidden("hostnameOverride", Text())),
  };
}

}  // namespace updraft::api
