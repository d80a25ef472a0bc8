#include "core/api/kinds.h"

#include <algorithm>
#include <cctype>

#include "core/api/columns.h"
#include "core/api/constants.h"
#include "core/api/event_view.h"
#include "core/api/schemas/schemas.h"

namespace updraft::api {
namespace {

using Words = std::vector<std::string>;

Words AllVerbs() {
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

Kind Serving(std::string kind, std::string plural, Words short_names, SchemaRef schema,
             std::vector<Column> columns) {
  std::string singular = kind;
  std::ranges::transform(singular, singular.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return {.group = std::string(kServingGroup),
          .version = "v1",
          .kind = std::move(kind),
          .plural = std::move(plural),
          .singular = std::move(singular),
          .short_names = std::move(short_names),
          .categories = {"all", "knative", "serving"},
          .verbs = AllVerbs(),
          .has_status = true,
          .has_generation = true,
          .schema = std::move(schema),
          .columns = std::move(columns)};
}

Kind Core(std::string kind, std::string plural, Words short_names, Words verbs, SchemaRef schema,
          std::vector<Column> columns) {
  std::string singular = kind;
  std::ranges::transform(singular, singular.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return {.group = "",
          .version = "v1",
          .kind = std::move(kind),
          .plural = std::move(plural),
          .singular = std::move(singular),
          .short_names = std::move(short_names),
          .verbs = std::move(verbs),
          .strategic_merge = true,
          .schema = std::move(schema),
          .columns = std::move(columns)};
}

Kind DomainMappingKind() {
  Kind kind = Serving("DomainMapping", "domainmappings", {"dm"}, DomainMappingSchema(),
                      DomainMappingColumns());
  kind.version = "v1beta1";
  return kind;
}

Kind DomainClaimKind() {
  Kind kind = Core("ClusterDomainClaim", "clusterdomainclaims", {"cdc"}, AllVerbs(),
                   DomainClaimSchema(), DomainClaimColumns());
  kind.group = "networking.internal.knative.dev";
  kind.version = "v1alpha1";
  kind.categories = {"knative-internal", "networking"};
  kind.namespaced = false;
  kind.has_generation = true;
  kind.strategic_merge = false;
  return kind;
}

Kind NamespaceKind() {
  Kind kind = Core("Namespace", "namespaces", {"ns"},
                   {"create", "delete", "get", "list", "patch", "update", "watch"},
                   NamespaceSchema(), NamespaceColumns());
  kind.namespaced = false;
  kind.has_status = true;
  kind.selectable_fields = {"status.phase"};
  return kind;
}

Kind SecretKind() {
  Kind kind = Core("Secret", "secrets", {}, AllVerbs(), SecretSchema(), SecretColumns());
  kind.selectable_fields = {"type"};
  return kind;
}

Kind ClaimKind() {
  Kind kind = Core("PersistentVolumeClaim", "persistentvolumeclaims", {"pvc"}, AllVerbs(),
                   ClaimSchema(), ClaimColumns());
  kind.has_status = true;
  return kind;
}

Kind PodKind() {
  // Pods come and go with instances: deleting one has its instance replaced.
  Kind kind = Core("Pod", "pods", {"po"}, {"delete", "deletecollection", "get", "list", "watch"},
                   PodSchema(), PodColumns());
  kind.categories = {"all"};
  kind.has_status = true;
  kind.soft = true;
  kind.selectable_fields = {
      "spec.nodeName",    "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
      "spec.hostNetwork", "status.phase",       "status.podIP",       "status.nominatedNodeName"};
  return kind;
}

Kind NodeKind() {
  // Users cordon a node by changing its spec; nodes come and go with their agents alone.
  Kind kind = Core("Node", "nodes", {"no"}, {"get", "list", "patch", "update", "watch"},
                   NodeSchema(), NodeColumns());
  kind.namespaced = false;
  kind.has_status = true;
  kind.soft = true;
  kind.selectable_fields = {"spec.unschedulable"};
  return kind;
}

Kind EventKind() {
  Kind kind = Core("Event", "events", {"ev"}, AllVerbs(), EventSchema(), EventColumns());
  kind.soft = true;
  kind.selectable_fields = {"involvedObject.kind",
                            "involvedObject.namespace",
                            "involvedObject.name",
                            "involvedObject.uid",
                            "involvedObject.apiVersion",
                            "involvedObject.resourceVersion",
                            "involvedObject.fieldPath",
                            "reason",
                            "reportingComponent",
                            "source",
                            "type"};
  return kind;
}

// The same events in the words of events.k8s.io.
Kind EventViewKind() {
  Kind kind = EventKind();
  kind.group = "events.k8s.io";
  kind.short_names = {};
  kind.schema = EventViewSchema();
  kind.stored_as = "events";
  kind.from_stored = EventFromStored;
  kind.to_stored = EventToStored;
  for (Column& column : kind.columns) {
    column.value = [value = std::move(column.value)](const Json& event, WallTime now) {
      return value(EventToStored(event), now);
    };
  }
  return kind;
}

Kind CoreServiceKind() {
  // They are made for routes; users may hide one from the world by its label.
  Kind kind = Core("Service", "services", {"svc"}, {"get", "list", "patch", "update", "watch"},
                   CoreServiceSchema(), CoreServiceColumns());
  kind.categories = {"all"};
  kind.has_status = true;
  kind.selectable_fields = {"spec.clusterIP", "spec.type"};
  return kind;
}

std::vector<Kind> MakeKinds() {
  return {
      Serving("Service", "services", {"kservice", "ksvc"}, ServingServiceSchema(),
              ServingServiceColumns()),
      Serving("Configuration", "configurations", {"config", "cfg"}, ConfigurationSchema(),
              ConfigurationColumns()),
      Serving("Revision", "revisions", {"rev"}, RevisionSchema(), RevisionColumns()),
      Serving("Route", "routes", {"rt"}, RouteSchema(), RouteColumns()),
      DomainMappingKind(),
      DomainClaimKind(),
      NamespaceKind(),
      SecretKind(),
      Core("ConfigMap", "configmaps", {"cm"}, AllVerbs(), ConfigMapSchema(), ConfigMapColumns()),
      Core("ServiceAccount", "serviceaccounts", {"sa"}, AllVerbs(), ServiceAccountSchema(),
           ServiceAccountColumns()),
      ClaimKind(),
      CoreServiceKind(),
      PodKind(),
      NodeKind(),
      EventKind(),
      EventViewKind(),
  };
}

}  // namespace

bool Kind::Allows(std::string_view verb) const {
  return std::ranges::find(verbs, verb) != verbs.end();
}

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = MakeKinds();
  return kinds;
}

const Kind* FindResource(std::string_view group, std::string_view version,
                         std::string_view plural) {
  for (const Kind& kind : Kinds()) {
    if (kind.group == group && kind.version == version && kind.plural == plural) return &kind;
  }
  return nullptr;
}

const Kind* FindKind(std::string_view api_version, std::string_view name) {
  for (const Kind& kind : Kinds()) {
    if (kind.kind == name && kind.ApiVersion() == api_version) return &kind;
  }
  return nullptr;
}

const Kind* FindByUserName(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const size_t dot = lower.find('.');
  const std::string resource = lower.substr(0, dot);
  const std::string group = dot == std::string::npos ? "" : lower.substr(dot + 1);
  for (const Kind& kind : Kinds()) {
    const bool named = resource == kind.plural || resource == kind.singular ||
                       std::ranges::find(kind.short_names, resource) != kind.short_names.end();
    const bool grouped =
        dot == std::string::npos || group == kind.group || group == kind.version + "." + kind.group;
    if (named && grouped) return &kind;
  }
  return nullptr;
}

}  // namespace updraft::api
