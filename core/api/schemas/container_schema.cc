#include "core/api/schemas/schemas.h"

namespace updraft::api {
namespace {

SchemaRef KeySelectorSchema(std::string description) {
  return AtomicOf(
      ObjectOf(std::move(description),
               {{"name", "Name of the object.", Text()},
                {"key", "The key to take.", Text(), false, true},
                Kept({"optional", "Whether the object or the key may be missing.", Bool()})}));
}

SchemaRef EnvSchema() {
  static const SchemaRef schema = ObjectOf(
      "An environment variable.",
      {{"name",
        "Name of the variable. PORT, K_SERVICE, K_CONFIGURATION and K_REVISION are reserved.",
        Text(), false, true},
       {"value", "Its value. $(NAME) stands for a variable defined before it.", Text()},
       {"valueFrom", "Where the value comes from, in place of value.",
        ObjectOf("Source of a value.",
                 {{"configMapKeyRef", "A key of a ConfigMap.",
                   KeySelectorSchema("A key of a ConfigMap.")},
                  {"secretKeyRef", "A key of a Secret.", KeySelectorSchema("A key of a Secret.")},
                  {"fieldRef", "A field of the pod. Needs the feature kubernetes.podspec-fieldref.",
                   AtomicOf(AnyObject())},
                  {"resourceFieldRef",
                   "A resource of the container. Needs the feature kubernetes.podspec-fieldref.",
                   AtomicOf(AnyObject())},
                  Hidden("fileKeyRef", AnyObject())})}});
  return schema;
}

SchemaRef EnvFromSchema() {
  const auto source = [](std::string description) {
    return AtomicOf(
        ObjectOf(std::move(description), {{"name", "Name of the object.", Text()},
                                          Kept({"optional", "Whether it may be missing.", Bool()})}));
  };
  return ObjectOf("Variables taken from all keys of an object.",
                  {{"prefix", "Text put before each key.", Text()},
                   {"configMapRef", "The ConfigMap to take them from.", source("A ConfigMap.")},
                   {"secretRef", "The Secret to take them from.", source("A Secret.")}});
}

SchemaRef PortSchema() {
  return ObjectOf("A port that the container serves on.",
                  {Written({"containerPort", "Port number; 8080 when absent.", Int32()}),
                   {"name", "http1 or h2c; empty means http1.", Text()},
                   {.name = "protocol", .description = "TCP.", .schema = Text(), .otherwise = "TCP"},
                   Hidden("hostIP", Text()),
                   Hidden("hostPort", Int32())});
}

SchemaRef SeccompSchema() {
  return ObjectOf("The seccomp filter of a container.",
                  {{"type", "RuntimeDefault, Localhost or Unconfined.", Text(), false, true},
                   Kept({"localhostProfile", "File of a Localhost filter.", Text()})});
}

SchemaRef SecurityContextSchema() {
  return ObjectOf(
      "What the container's processes may do.",
      {{"capabilities", "Capabilities to add or drop.",
        ObjectOf(
            "Linux capabilities.",
            {{"add",
              "Capabilities to add. Needs the feature kubernetes.containerspec-addcapabilities.",
              ListOf(Text())},
             {"drop", "Capabilities to drop.", ListOf(Text())}})},
       Kept({"readOnlyRootFilesystem", "Whether the root file system is read-only.", Bool()}),
       Kept({"runAsUser", "User id of the first process.", Int64()}),
       Kept({"runAsGroup", "Group id of the first process.", Int64()}),
       Kept({"runAsNonRoot", "Refuses to start as user 0.", Bool()}),
       Kept({"allowPrivilegeEscalation", "Whether a process may gain more privileges than its parent.",
        Bool()}),
       Kept({"privileged", "May only be false.", Bool()}),
       {"seccompProfile", "The seccomp filter.", SeccompSchema()},
       Hidden("seLinuxOptions", AnyObject()),
       Hidden("windowsOptions", AnyObject()),
       Hidden("appArmorProfile", AnyObject()),
       Kept(Hidden("procMount", Text()))});
}

SchemaRef ResourcesSchema() {
  return ObjectOf("What the container needs and may use.",
                  {{"limits", "The most that it may use.", MapOf(QuantityText())},
                   {"requests", "The least that it needs.", MapOf(QuantityText())},
                   Hidden("claims", AnyValue())});
}

SchemaRef VolumeMountSchema() {
  return ObjectOf("A volume in the container's file system.",
                  {{"name", "Name of a volume.", Text(), false, true},
                   {"mountPath", "Absolute path in the container.", Text(), false, true},
                   {"subPath", "Path within the volume.", Text()},
                   {"readOnly", "Whether it is mounted read-only.", Bool()},
                   Kept({"mountPropagation",
                    "None or HostToContainer. Needs the feature "
                    "kubernetes.podspec-volumes-mount-propagation.",
                    Text()}),
                   Hidden("subPathExpr", Text()),
                   Kept(Hidden("recursiveReadOnly", Text()))});
}

}  // namespace

SchemaRef ProbeSchema() {
  static const SchemaRef schema = ObjectOf(
      "A check of a container: exactly one of httpGet, tcpSocket, exec and grpc.",
      {{"httpGet", "A GET request; 200 to 399 is success.",
        ObjectOf(
            "A GET request.",
            {{"path", "Path of the request.", Text()},
             Written({"port", "Port number or name; the serving port when absent.", IntOrString()}),
             {"host", "Host to connect to; the instance when absent.", Text()},
             {"scheme", "HTTP or HTTPS.", Text()},
             {"httpHeaders", "Headers to send.",
              ListOf(ObjectOf("A header.", {{"name", "Name of the header.", Text(), false, true},
                                            {"value", "Its value.", Text(), false, true}}))}})},
       {"tcpSocket", "A TCP connection.",
        ObjectOf("A TCP connection.",
                 {Written({"port", "Port number or name; the serving port when absent.", IntOrString()}),
                  {"host", "Host to connect to; the instance when absent.", Text()}})},
       {"exec", "A command in the container; exit code 0 is success.",
        ObjectOf("A command.", {{"command", "The command and its arguments; not run in a shell.",
                                 ListOf(Text())}})},
       {"grpc", "A call of grpc.health.v1.Health/Check.",
        ObjectOf("A gRPC health check.",
                 {Written({"port", "Port number; the serving port when absent.", Int32()}),
                  Written({"service", "Name of the service to ask about.", Text()})})},
       {"initialDelaySeconds", "Seconds before the first check.", Int32()},
       {"periodSeconds", "Seconds between checks; 0 on a readiness probe: as often as useful.",
        Int32()},
       {"timeoutSeconds", "Seconds after which a check has failed.", Int32()},
       {"successThreshold", "Successes in a row that make it good.", Int32()},
       {"failureThreshold", "Failures in a row that make it bad.", Int32()},
       Kept({"terminationGracePeriodSeconds",
        "Seconds between SIGTERM and SIGKILL after a failed liveness probe.", Int64()})});
  return schema;
}

SchemaRef ContainerSchema() {
  static const SchemaRef schema = ObjectOf(
      "A container of each instance.",
      {{"name", "Name of the container, a DNS label; user-container when absent.", Text()},
       {"image", "The image, as registry/repository:tag or with @sha256:...", Text()},
       {"imagePullPolicy", "Always, IfNotPresent or Never.", Text()},
       {"command", "Replaces the image's entrypoint; not run in a shell.", ListOf(Text())},
       {"args", "Replaces the image's arguments.", ListOf(Text())},
       {"workingDir", "Working directory; the image's own when absent.", Text()},
       {"env", "Environment variables.", ListByKey("name", EnvSchema())},
       {"envFrom", "Environment variables from whole objects.", ListOf(EnvFromSchema())},
       {"ports", "The port that the container serves on: at most one over all containers.",
        ListOf(PortSchema())},
       Written({"resources", "What the container needs and may use.", ResourcesSchema()}),
       {"readinessProbe",
        "Tells when the container can take requests; a TCP connection when absent.", ProbeSchema()},
       {"livenessProbe", "Tells when the container has to be restarted.", ProbeSchema()},
       {"startupProbe", "Tells when the container has started; the other probes wait for it.",
        ProbeSchema()},
       {"securityContext", "What the container's processes may do.", SecurityContextSchema()},
       {"terminationMessagePath", "File that a last message is read from.", Text()},
       {"terminationMessagePolicy", "File or FallbackToLogsOnError.", Text()},
       {"volumeMounts", "Volumes in the container's file system.",
        ListByKey("mountPath", VolumeMountSchema())},
       Hidden("lifecycle", AnyObject()),
       Hidden("stdin", Bool()),
       Hidden("stdinOnce", Bool()),
       Hidden("tty", Bool()),
       Hidden("volumeDevices", AnyValue()),
       Hidden("resizePolicy", AnyValue()),
       Kept(Hidden("restartPolicy", Text()))});
  return schema;
}

}  // namespace updraft::api
