#include "core/api/schemas/schemas.h"

namespace updraft::api {
namespace {

SchemaRef OwnerReferenceSchema() {
  static const SchemaRef schema =
      Defined("io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
              "Names an object that this one belongs to.",
              {{"apiVersion", "API version of the owner.", Text(), false, true},
               {"kind", "Kind of the owner.", Text(), false, true},
               {"name", "Name of the owner.", Text(), false, true},
               {"uid", "UID of the owner.", Text(), false, true},
               {"controller", "Whether the owner is the one that manages this object.", Bool()},
               {"blockOwnerDeletion",
                "Whether a foreground deletion of the owner waits for this object.", Bool()}});
  return schema;
}

SchemaRef ManagedFieldsSchema() {
  static const SchemaRef schema = Defined(
      "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry", "Which fields a manager has set.",
      {{"manager", "Name of the manager.", Text()},
       {"operation", "Apply or Update.", Text()},
       {"apiVersion", "Version that the fields are named in.", Text()},
       {"time", "When the entry was last changed.", Timestamp()},
       {"fieldsType", "FieldsV1.", Text()},
       {"fieldsV1", "The set of fields.", AnyObject()},
       {"subresource", "Subresource that was written, if any.", Text()}});
  return schema;
}

}  // namespace

SchemaRef ObjectMetaSchema() {
  static const SchemaRef schema = Defined(
      "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "What every stored object has.",
      {{"name", "Unique within a namespace and kind; cannot be changed.", Text()},
       {"generateName", "Prefix of a name that the server completes, when no name is given.",
        Text()},
       {"namespace", "Space within which the name is unique; cannot be changed.", Text()},
       {"labels", "Keys and values that selectors match.", MapOf(Text())},
       {"annotations", "Keys and values for tools; not matched by selectors.", MapOf(Text())},
       {"uid", "Unique over time and space. Set by the server.", Text()},
       {"resourceVersion",
        "Opaque version of the object, for conflicts and watches. Set by the server.", Text()},
       {"generation",
        "Number of the desired state; grows when the spec changes. Set by the server.", Int64()},
       {"creationTimestamp", "When the object was created. Set by the server.", Timestamp()},
       {"deletionTimestamp",
        "When deletion was asked for; the object goes once its finalizers are gone.", Timestamp()},
       {"deletionGracePeriodSeconds", "Seconds until the object goes. Set by the server.", Int64()},
       {"finalizers", "What must be done, and removed from here, before the object goes.",
        SetOf(Text())},
       {"ownerReferences", "Objects that this one depends on; it is collected when all are gone.",
        ListByKey("uid", OwnerReferenceSchema())},
       {"managedFields", "Which manager owns which field.", ListOf(ManagedFieldsSchema())},
       {"selfLink", "No longer used.", Text()}});
  return schema;
}

SchemaRef ListMetaSchema() {
  static const SchemaRef schema =
      Defined("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", "What lists have.",
              {{"resourceVersion", "Version of the whole store when the list was read.", Text()},
               {"continue", "Where the next part of the list starts; absent at its end.", Text()},
               {"remainingItemCount", "Number of items beyond this part.", Int64()},
               {"selfLink", "No longer used.", Text()}});
  return schema;
}

SchemaRef DeleteOptionsSchema() {
  static const SchemaRef preconditions =
      Defined("io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions",
              "What must hold for the deletion to happen.",
              {{"uid", "UID of the object.", Text()},
               {"resourceVersion", "Version of the object.", Text()}});
  static const SchemaRef schema = Defined(
      "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", "How an object is to be deleted.",
      {{"apiVersion", "Version of this document.", Text()},
       {"kind", "DeleteOptions.", Text()},
       {"gracePeriodSeconds", "Seconds before the object goes.", Int64()},
       {"preconditions", "What must hold.", preconditions},
       {"orphanDependents", "Older form of propagationPolicy.", Bool()},
       {"propagationPolicy", "Foreground, Background or Orphan.", Text()},
       {"ignoreStoreReadErrorWithClusterBreakingPotential", "No effect here.", Bool()},
       {"dryRun", "All: nothing is changed.", ListOf(Text())}});
  return schema;
}

SchemaRef StatusSchema() {
  static const SchemaRef schema = Defined("io.k8s.apimachinery.pkg.apis.meta.v1.Status",
                                          "Outcome of a call that returns no object.",
                                          {{"apiVersion", "Version of this document.", Text()},
                                           {"kind", "Status.", Text()},
                                           {"metadata", "What lists have.", ListMetaSchema()},
                                           {"status", "Success or Failure.", Text()},
                                           {"message", "The outcome in words.", Text()},
                                           {"reason", "The outcome for programs.", Text()},
                                           {"details", "What the outcome is about.", AnyObject()},
                                           {"code", "HTTP status code.", Int32()}});
  return schema;
}

SchemaRef KindSchema(std::string definition, std::string description, std::vector<Field> fields) {
  std::vector<Field> all = {
      {"apiVersion", "Group and version that this document is written in.", Text()},
      {"kind", "Name of the kind of object.", Text()},
      {"metadata", "What every stored object has.", ObjectMetaSchema()},
  };
  for (Field& field : fields) all.push_back(std::move(field));
  return Defined(std::move(definition), std::move(description), std::move(all));
}

}  // namespace updraft::api
