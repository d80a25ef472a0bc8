#include "core/api/schemas/schemas.h"

namespace updraft::api {
namespace {

SchemaRef ObjectReferenceSchema() {
  static const SchemaRef schema =
      AtomicOf(Defined("io.k8s.api.core.v1.ObjectReference", "Names an object.",
                       {{"apiVersion", "Its API version.", Text()},
                        {"kind", "Its kind.", Text()},
                        {"namespace", "Its namespace.", Text()},
                        {"name", "Its name.", Text()},
                        {"uid", "Its UID.", Text()},
                        {"resourceVersion", "Its version.", Text()},
                        {"fieldPath", "A part of it.", Text()}}));
  return schema;
}

SchemaRef LocalObjectReferenceSchema() {
  return AtomicOf(
      ObjectOf("Names an object of the same namespace.", {{"name", "Its name.", Text()}}));
}

}  // namespace

SchemaRef NamespaceSchema() {
  static const SchemaRef schema = KindSchema(
      "io.k8s.api.core.v1.Namespace", "A space of names.",
      {{"spec", "What is wanted.",
        ObjectOf("What is wanted.",
                 {{"finalizers", "What must be emptied before it goes.", ListOf(Text())}})},
       {"status", "What is.",
        ObjectOf("What is.",
                 {{"phase", "Active or Terminating.", Text()},
                  {"conditions", "Why it does not go.", ListByKey("type", AnyObject())}})}});
  return schema;
}

SchemaRef SecretSchema() {
  static const SchemaRef schema =
      KindSchema("io.k8s.api.core.v1.Secret", "Data to be kept to those who need it.",
                 {{"type", "What the data is for. Opaque when absent.", Text()},
                  {"data", "Values in base64.", MapOf(Bytes())},
                  {"stringData", "Values as text; written into data.", MapOf(Text())},
                  {"immutable", "Whether the data can no longer be changed.", Bool()}});
  return schema;
}

SchemaRef ConfigMapSchema() {
  static const SchemaRef schema =
      KindSchema("io.k8s.api.core.v1.ConfigMap", "Configuration for programs.",
                 {{"data", "Values as text.", MapOf(Text())},
                  {"binaryData", "Values in base64.", MapOf(Bytes())},
                  {"immutable", "Whether the data can no longer be changed.", Bool()}});
  return schema;
}

SchemaRef ServiceAccountSchema() {
  static const SchemaRef schema = KindSchema(
      "io.k8s.api.core.v1.ServiceAccount", "An identity of instances: whose pull secrets are used.",
      {{"imagePullSecrets", "Secrets with registry credentials.",
        ListOf(LocalObjectReferenceSchema())},
       {"secrets", "Secrets that belong to the account.",
        ListByKey("name", ObjectReferenceSchema())},
       {"automountServiceAccountToken", "Whether instances get a token.", Bool()}});
  return schema;
}

SchemaRef ClaimSchema() {
  static const SchemaRef resources = ObjectOf(
      "How much.", {{"requests", "What it is to have at least: storage.", MapOf(QuantityText())},
                    {"limits", "What it may have at most.", MapOf(QuantityText())}});
  static const SchemaRef schema = KindSchema(
      "io.k8s.api.core.v1.PersistentVolumeClaim",
      "A directory that outlives instances: one on each node, made when an instance there mounts "
      "it.",
      {{"spec", "What is wanted.",
        ObjectOf("What is wanted.",
                 {{"accessModes", "ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.",
                   ListOf(Text())},
                  {"resources", "How much it is to hold; nothing keeps it to that.", resources},
                  {"storageClassName", "Who provides it: local-path when absent.", Text()},
                  {"volumeMode", "Filesystem; a Block stays pending.", Text()},
                  {"volumeName", "What it is bound to. Set by the server.", Text()},
                  {"selector", "Volumes that may be taken: there are none, it stays pending.",
                   AtomicOf(AnyObject())},
                  {"dataSource", "What it begins as a copy of: it stays pending.",
                   AtomicOf(AnyObject())},
                  {"dataSourceRef", "What it begins as a copy of: it stays pending.", AnyObject()},
                  {"volumeAttributesClassName", "Without effect.", Text()}})},
       {"status", "What is.",
        ObjectOf("What is.",
                 {{"phase", "Bound or Pending.", Text()},
                  {"accessModes", "How it may be used.", ListOf(Text())},
                  {"capacity", "How much was asked for.", MapOf(QuantityText())},
                  {"conditions", "What stands against it.", ListByKey("type", AnyObject())},
                  {"allocatedResources", "Not used.", MapOf(QuantityText())},
                  {"allocatedResourceStatuses", "Not used.", AtomicOf(MapOf(Text()))}})}});
  return schema;
}

SchemaRef CoreServiceSchema() {
  static const SchemaRef port =
      ObjectOf("A port.", {{"name", "Its name.", Text()},
                           {"protocol", "TCP.", Text()},
                           {"appProtocol", "Protocol of the application.", Text()},
                           {"port", "Its number.", Int32(), false, true},
                           {"targetPort", "Where it leads.", IntOrString()},
                           {"nodePort", "Port on each node.", Int32()}});
  static const SchemaRef schema =
      KindSchema("io.k8s.api.core.v1.Service",
                 "A name inside of the platform: one for each route and tag. Made by the platform.",
                 {{"spec", "What is wanted.",
                   ObjectOf("What is wanted.",
                            {{"type", "ClusterIP or ExternalName.", Text()},
                             {"externalName", "Host that the name stands for.", Text()},
                             {"clusterIP", "Address of the service.", Text()},
                             {"clusterIPs", "Addresses of the service.", ListOf(Text())},
                             {"externalIPs", "Addresses outside.", ListOf(Text())},
                             {"ports", "Ports.", ListByKey("port", port)},
                             {"selector", "Which instances answer.", AtomicOf(MapOf(Text()))},
                             {"sessionAffinity", "None.", Text()},
                             {"ipFamilies", "IP families.", ListOf(Text())},
                             {"ipFamilyPolicy", "Use of IP families.", Text()},
                             {"internalTrafficPolicy", "Cluster.", Text()}})},
                  {"status", "What is.", AnyObject()}});
  return schema;
}

SchemaRef EventSchema() {
  static const SchemaRef schema = KindSchema(
      "io.k8s.api.core.v1.Event", "Something that happened to an object.",
      {{"involvedObject", "The object.", ObjectReferenceSchema(), false, true},
       {"reason", "What happened, for programs.", Text()},
       {"message", "What happened, in words.", Text()},
       {"type", "Normal or Warning.", Text()},
       {"count", "How often it happened.", Int32()},
       {"firstTimestamp", "When it first happened.", Timestamp()},
       {"lastTimestamp", "When it last happened.", Timestamp()},
       {"eventTime", "When it was first seen.", Timestamp()},
       {"source", "Who says so.",
        ObjectOf("Who says so.",
                 {{"component", "The program.", Text()}, {"host", "The node.", Text()}})},
       {"reportingComponent", "The program that says so.", Text()},
       {"reportingInstance", "Which of the programs.", Text()},
       {"action", "What was done about it.", Text()},
       {"related", "Another object concerned.", ObjectReferenceSchema()},
       {"series", "How often, for frequent events.", AnyObject()}});
  return schema;
}

SchemaRef EventViewSchema() {
  static const SchemaRef schema = KindSchema(
      "io.k8s.api.events.v1.Event", "Something that happened to an object.",
      {{"eventTime", "When it was first seen.", Timestamp()},
       {"reportingController", "The program that says so.", Text()},
       {"reportingInstance", "Which of the programs.", Text()},
       {"action", "What was done about it.", Text()},
       {"reason", "What happened, for programs.", Text()},
       {"regarding", "The object.", ObjectReferenceSchema()},
       {"related", "Another object concerned.", ObjectReferenceSchema()},
       {"note", "What happened, in words.", Text()},
       {"type", "Normal or Warning.", Text()},
       {"series", "How often, for frequent events.", AnyObject()},
       {"deprecatedSource", "Who says so.",
        ObjectOf("Who says so.",
                 {{"component", "The program.", Text()}, {"host", "The node.", Text()}})},
       {"deprecatedFirstTimestamp", "When it first happened.", Timestamp()},
       {"deprecatedLastTimestamp", "When it last happened.", Timestamp()},
       {"deprecatedCount", "How often it happened.", Int32()}});
  return schema;
}

SchemaRef PodSchema() {
  static const SchemaRef container_status =
      ObjectOf("How a container does.", {{"name", "Its name.", Text()},
                                         {"ready", "Whether it takes requests.", Bool()},
                                         {"started", "Whether it has started.", Bool()},
                                         {"restartCount", "How often it was restarted.", Int32()},
                                         {"image", "Its image.", Text()},
                                         {"imageID", "Its image with the digest.", Text()},
                                         {"containerID", "Its id at the runtime.", Text()},
                                         {"state", "waiting, running or terminated.", AnyObject()},
                                         {"lastState", "How its last run ended.", AnyObject()}});
  static const SchemaRef schema = KindSchema(
      "io.k8s.api.core.v1.Pod",
      "An instance of a revision, as it runs. Read-only: instances come and go with load.",
      {{"spec", "What it is made of.",
        ObjectOf("What it is made of.",
                 [] {
                   std::vector<Field> fields = PodSpecFields();
                   // A pod names its node and its grace; only a template may not.
                   for (Field& field : fields) {
                     if (field.name == "nodeName")
                       field = {"nodeName", "The node that it runs on.", Text()};
                     if (field.name == "restartPolicy")
                       field = {"restartPolicy", "Always.", Text()};
                     if (field.name == "terminationGracePeriodSeconds") {
                       field = {"terminationGracePeriodSeconds",
                                "Seconds between SIGTERM and SIGKILL.", Int64()};
                     }
                   }
                   return fields;
                 }())},
       {"status", "How it does.",
        ObjectOf(
            "How it does.",
            {{"phase", "Pending, Running, Succeeded or Failed.", Text()},
             {"conditions", "PodScheduled, Initialized, ContainersReady, Ready.",
              ListByKey("type", AnyObject())},
             {"reason", "Why, for programs.", Text()},
             {"message", "Why, in words.", Text()},
             {"hostIP", "Address of its node.", Text()},
             {"hostIPs", "Addresses of its node.", ListOf(AnyObject())},
             {"podIP", "Its address.", Text()},
             {"podIPs", "Its addresses.", ListOf(AnyObject())},
             {"startTime", "When its node took it.", Timestamp()},
             {"qosClass", "Guaranteed, Burstable or BestEffort.", Text()},
             {"initContainerStatuses", "How its init containers do.", ListOf(container_status)},
             {"containerStatuses", "How its containers do.", ListOf(container_status)}})}});
  return schema;
}

SchemaRef NodeSchema() {
  static const SchemaRef schema = KindSchema(
      "io.k8s.api.core.v1.Node", "A machine that runs instances.",
      {{"spec", "What is wanted of it.",
        ObjectOf("What is wanted of it.",
                 {{"unschedulable", "Whether it gets no new instances.", Bool()},
                  {"podCIDR", "Where its instances' addresses come from.", Text()},
                  {"podCIDRs", "Where its instances' addresses come from.", SetOf(Text())},
                  {"providerID", "Its id at a provider.", Text()},
                  {"taints", "Why instances avoid it.", ListOf(AnyObject())}})},
       {"status", "How it does.",
        ObjectOf(
            "How it does.",
            {{"conditions", "Ready and what stands against it.", ListByKey("type", AnyObject())},
             {"addresses", "How it is reached.", ListByKey("type", AnyObject())},
             {"capacity", "What it has.", MapOf(QuantityText())},
             {"allocatable", "What instances may use of it.", MapOf(QuantityText())},
             {"images", "Images that are ready on it.", ListOf(AnyObject())},
             {"nodeInfo", "Versions of its software.", AnyObject()},
             {"phase", "No longer used.", Text()},
             {"daemonEndpoints", "Ports of its agent.", AnyObject()}})}});
  return schema;
}

}  // namespace updraft::api
