#include "core/api/schemas/schemas.h"

namespace updraft::api {
namespace {

SchemaRef ConditionsSchema() {
  static const SchemaRef schema = ListOf(
      ObjectOf("One aspect of an object's state.",
               {{"type", "Which aspect.", Text(), false, true},
                {"status", "True, False or Unknown.", Text(), false, true},
                {"severity", "Empty: an error when not True; Warning or Info otherwise.", Text()},
                {"lastTransitionTime", "When the condition last changed.", Timestamp()},
                {"reason", "Why, for programs.", Text()},
                {"message", "Why, in words.", Text()}}));
  return schema;
}

std::vector<Field> CommonStatus(std::vector<Field> more) {
  std::vector<Field> fields = {
      {"observedGeneration", "The generation that this status speaks of.", Int64()},
      {"conditions", "The aspects of the object's state.", ConditionsSchema()},
      {"annotations", "Further state, for tools.", MapOf(Text())},
  };
  for (Field& field : more) fields.push_back(std::move(field));
  return fields;
}

SchemaRef TrafficSchema() {
  static const SchemaRef schema = ListOf(ObjectOf(
      "Where a part of the requests goes.",
      {Kept({"percent", "Share of the requests; the shares sum to 100.", Int64()}),
       Kept({"latestRevision", "Whether the latest ready revision is meant.", Bool()}),
       {"revisionName", "The revision, when it is a certain one.", Text()},
       {"configurationName",
        "The configuration whose latest ready revision is meant. On a Route only.", Text()},
       {"tag", "Gives this target a host of its own.", Text()},
       {"url", "The tag's URL. In a status only.", Text()}}));
  return schema;
}

std::vector<Field> AddressStatusFields() {
  return {
      {"url", "Where the service is reached.", Text()},
      {"address", "Where the service is reached from inside.",
       ObjectOf("An address.", {{"url", "Its URL.", Text()},
                                {"name", "Its name.", Text()},
                                {"CACerts", "Certificate authorities of the address, PEM.", Text()},
                                {"audience", "OIDC audience of the address.", Text()}})}};
}

std::vector<Field> RouteStatusFields() {
  std::vector<Field> fields = AddressStatusFields();
  fields.push_back({"traffic", "Where requests go now.", TrafficSchema()});
  return fields;
}

SchemaRef ReferenceSchema() {
  return ObjectOf("Another object.", {{"apiVersion", "Its API version.", Text()},
                                      {"kind", "Its kind.", Text()},
                                      {"name", "Its name.", Text()},
                                      {"namespace", "Its namespace.", Text()},
                                      {"group", "Its API group.", Text()},
                                      {"address", "Which of its addresses.", Text()}});
}

std::vector<Field> ConfigurationStatusFields() {
  return {{"latestCreatedRevisionName", "The last revision that was made.", Text()},
          {"latestReadyRevisionName", "The last revision that became ready.", Text()}};
}

std::vector<Field> Both(std::vector<Field> first, std::vector<Field> second) {
  for (Field& field : second) first.push_back(std::move(field));
  return first;
}

SchemaRef RevisionSpecSchema() {
  static const SchemaRef schema =
      ObjectOf("What each instance of a revision is made of.",
               Both({Kept({"containerConcurrency",
                      "The most requests that an instance serves at once; 0: no limit.", Int64()}),
                     Kept({"timeoutSeconds", "The longest that a request may take.", Int64()}),
                     Kept({"responseStartTimeoutSeconds",
                      "The longest until the first byte of a response.", Int64()}),
                     Kept({"idleTimeoutSeconds", "The longest pause within a response.", Int64()})},
                    PodSpecFields()));
  return schema;
}

std::vector<Field> ConfigurationSpecFields() {
  return {{"template", "What the next revision is made from.",
           ObjectOf("What the next revision is made from.",
                    {{"metadata",
                      "Name, labels and annotations of the revision. Annotations of "
                      "autoscaling.knative.dev go here.",
                      ObjectMetaSchema()},
                     {"spec", "What each instance is made of.", RevisionSpecSchema()}})}};
}

std::vector<Field> RouteSpecFields() {
  return {
      {"traffic", "Where requests go. The latest ready revision when absent.", TrafficSchema()}};
}

SchemaRef ContainerStatusesSchema() {
  return ListOf(ObjectOf("The image of a container.",
                         {{"name", "Name of the container.", Text()},
                          {"imageDigest", "The image with its digest.", Text()}}));
}

}  // namespace

SchemaRef ServingServiceSchema() {
  static const SchemaRef schema = KindSchema(
      "dev.knative.serving.v1.Service",
      "A workload that is reached at a URL and scaled with its requests. Each change of the "
      "template makes a revision.",
      {{"spec", "What is wanted.",
        ObjectOf("What is wanted.", Both(ConfigurationSpecFields(), RouteSpecFields()))},
       {"status", "What is.",
        ObjectOf("What is.",
                 CommonStatus(Both(RouteStatusFields(), ConfigurationStatusFields())))}});
  return schema;
}

SchemaRef ConfigurationSchema() {
  static const SchemaRef schema = KindSchema(
      "dev.knative.serving.v1.Configuration", "Makes a revision of each change of its template.",
      {{"spec", "What is wanted.", ObjectOf("What is wanted.", ConfigurationSpecFields())},
       {"status", "What is.", ObjectOf("What is.", CommonStatus(ConfigurationStatusFields()))}});
  return schema;
}

SchemaRef RevisionSchema() {
  static const SchemaRef schema = KindSchema(
      "dev.knative.serving.v1.Revision", "One immutable version of a workload.",
      {{"spec", "What each instance is made of.", RevisionSpecSchema()},
       {"status", "What is.",
        ObjectOf("What is.",
                 CommonStatus(
                     {{"containerStatuses", "Images of the containers.", ContainerStatusesSchema()},
                      {"initContainerStatuses", "Images of the init containers.",
                       ContainerStatusesSchema()},
                      {"actualReplicas", "Instances that run.", Int32()},
                      {"desiredReplicas", "Instances that are wanted.", Int32()},
                      {"serviceName", "No longer used.", Text()},
                      {"logUrl", "Where logs are found.", Text()}}))}});
  return schema;
}

SchemaRef RouteSchema() {
  static const SchemaRef schema =
      KindSchema("dev.knative.serving.v1.Route", "A host name, and which revisions answer for it.",
                 {{"spec", "What is wanted.", ObjectOf("What is wanted.", RouteSpecFields())},
                  {"status", "What is.", ObjectOf("What is.", CommonStatus(RouteStatusFields()))}});
  return schema;
}

SchemaRef DomainMappingSchema() {
  static const SchemaRef schema = KindSchema(
      "dev.knative.serving.v1beta1.DomainMapping",
      "A domain name of the user's, which is its own name, and the service that answers for it.",
      {{"spec", "What is wanted.",
        ObjectOf(
            "What is wanted.",
            {{"ref", "The Service or Route that answers.", ReferenceSchema()},
             {"tls", "The certificate for the name.",
              ObjectOf("The certificate for the name.",
                       {{"secretName", "Secret of type kubernetes.io/tls in the same namespace.",
                         Text()}})}})},
       {"status", "What is.", ObjectOf("What is.", CommonStatus(AddressStatusFields()))}});
  return schema;
}

SchemaRef DomainClaimSchema() {
  static const SchemaRef schema = KindSchema(
      "dev.knative.internal.networking.v1alpha1.ClusterDomainClaim",
      "Leaves a domain name, which is its own name, to one namespace's DomainMappings.",
      {{"spec", "What is wanted.",
        ObjectOf("What is wanted.",
                 {{"namespace", "The namespace that may use the name.", Text(), false, true}})}});
  return schema;
}

}  // namespace updraft::api
