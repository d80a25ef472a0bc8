#include "controller/api_server/discovery.h"

#include <algorithm>

#include "core/api/kinds.h"

namespace updraft::controller {
namespace {

using api::Kind;

bool IsOf(const Kind& kind, const GroupVersion& version) {
  return kind.group == version.group && kind.version == version.version;
}

std::vector<std::string> Groups() {
  std::vector<std::string> groups;
  for (const GroupVersion& version : GroupVersions()) {
    if (version.group.empty() || std::ranges::find(groups, version.group) != groups.end()) continue;
    groups.push_back(version.group);
  }
  return groups;
}

Json VersionEntry(const GroupVersion& version) {
  return Json{{"groupVersion", version.group + "/" + version.version},
              {"version", version.version}};
}

Json GroupEntry(const std::string& group) {
  Json entry = Json::object();
  entry["name"] = group;
  entry["versions"] = Json::array();
  for (const GroupVersion& version : GroupVersions()) {
    if (version.group == group) entry["versions"].push_back(VersionEntry(version));
  }
  entry["preferredVersion"] = entry["versions"].front();
  return entry;
}

struct SubresourceRow {
  const char* name;
  std::vector<std::string> verbs;
  Kind kind;  // of what is exchanged: group, version and kind alone
};

std::vector<SubresourceRow> SubresourcesOf(const Kind& kind) {
  std::vector<SubresourceRow> rows;
  if (kind.has_status) rows.push_back({"status", {"get", "patch", "update"}, kind});
  if (kind.kind != "Pod") return rows;
  rows.push_back({"log", {"get"}, kind});
  for (const auto& [name, options] :
       {std::pair{"exec", "PodExecOptions"}, std::pair{"attach", "PodAttachOptions"},
        std::pair{"portforward", "PodPortForwardOptions"}}) {
    rows.push_back({name, {"create", "get"}, {.version = "v1", .kind = options}});
  }
  // kubectl drain deletes pods where it finds no eviction.
  rows.push_back(
      {"eviction", {"create"}, {.group = "policy", .version = "v1", .kind = "Eviction"}});
  return rows;
}

Json Subresource(const Kind& kind, const SubresourceRow& row) {
  Json entry = {{"name", kind.plural + "/" + row.name},
                {"singularName", ""},
                {"namespaced", kind.namespaced},
                {"kind", row.kind.kind},
                {"verbs", row.verbs}};
  if (row.kind.group == kind.group) return entry;
  entry["group"] = row.kind.group;
  entry["version"] = row.kind.version;
  return entry;
}

Json ResponseKind(const Kind& kind) {
  return Json{{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}};
}

Json AggregatedResource(const Kind& kind) {
  Json resource = Json::object();
  resource["resource"] = kind.plural;
  resource["responseKind"] = ResponseKind(kind);
  resource["scope"] = kind.namespaced ? "Namespaced" : "Cluster";
  resource["singularResource"] = kind.singular;
  resource["verbs"] = kind.verbs;
  if (!kind.short_names.empty()) resource["shortNames"] = kind.short_names;
  if (!kind.categories.empty()) resource["categories"] = kind.categories;
  Json subresources = Json::array();
  for (const SubresourceRow& row : SubresourcesOf(kind)) {
    subresources.push_back(Json{
        {"subresource", row.name}, {"responseKind", ResponseKind(row.kind)}, {"verbs", row.verbs}});
  }
  if (!subresources.empty()) resource["subresources"] = std::move(subresources);
  return resource;
}

}  // namespace

std::string GroupVersion::Path() const {
  return group.empty() ? "api/" + version : "apis/" + group + "/" + version;
}

std::vector<GroupVersion> GroupVersions() {
  std::vector<GroupVersion> versions;
  for (const Kind& kind : api::Kinds()) {
    const bool known = std::ranges::any_of(
        versions, [&kind](const GroupVersion& version) { return IsOf(kind, version); });
    if (!known) versions.push_back({.group = kind.group, .version = kind.version});
  }
  return versions;
}

Json CoreVersions() {
  Json versions = Json::object();
  versions["kind"] = "APIVersions";
  versions["versions"] = Json::array();
  for (const GroupVersion& version : GroupVersions()) {
    if (version.group.empty()) versions["versions"].push_back(version.version);
  }
  versions["serverAddressByClientCIDRs"] = Json::array();
  return versions;
}

Json GroupList() {
  Json list = Json::object();
  list["kind"] = "APIGroupList";
  list["apiVersion"] = "v1";
  list["groups"] = Json::array();
  for (const std::string& group : Groups()) list["groups"].push_back(GroupEntry(group));
  return list;
}

Json Group(std::string_view group) {
  for (const std::string& known : Groups()) {
    if (known != group) continue;
    Json entry = GroupEntry(known);
    entry["kind"] = "APIGroup";
    entry["apiVersion"] = "v1";
    return entry;
  }
  return nullptr;
}

Json ResourceList(const GroupVersion& version) {
  Json resources = Json::array();
  for (const Kind& kind : api::Kinds()) {
    if (!IsOf(kind, version)) continue;
    Json resource = Json::object();
    resource["name"] = kind.plural;
    resource["singularName"] = kind.singular;
    resource["namespaced"] = kind.namespaced;
    resource["kind"] = kind.kind;
    resource["verbs"] = kind.verbs;
    if (!kind.short_names.empty()) resource["shortNames"] = kind.short_names;
    if (!kind.categories.empty()) resource["categories"] = kind.categories;
    resources.push_back(std::move(resource));
    for (const SubresourceRow& row : SubresourcesOf(kind))
      resources.push_back(Subresource(kind, row));
  }
  if (resources.empty()) return nullptr;
  Json list = Json::object();
  list["kind"] = "APIResourceList";
  list["apiVersion"] = "v1";
  list["groupVersion"] =
      version.group.empty() ? version.version : version.group + "/" + version.version;
  list["resources"] = std::move(resources);
  return list;
}

Json AggregatedDiscovery(bool core, const std::string& version) {
  Json items = Json::array();
  const std::vector<std::string> groups = core ? std::vector<std::string>{""} : Groups();
  for (const std::string& group : groups) {
    Json item = Json::object();
    item["metadata"] = Json::object();
    item["metadata"]["creationTimestamp"] = nullptr;
    if (!group.empty()) item["metadata"]["name"] = group;
    item["versions"] = Json::array();
    for (const GroupVersion& entry : GroupVersions()) {
      if (entry.group != group) continue;
      Json resources = Json::array();
      for (const Kind& kind : api::Kinds()) {
        if (IsOf(kind, entry)) resources.push_back(AggregatedResource(kind));
      }
      item["versions"].push_back(Json{{"version", entry.version},
                                      {"resources", std::move(resources)},
                                      {"freshness", "Current"}});
    }
    items.push_back(std::move(item));
  }
  Json list = Json::object();
  list["kind"] = "APIGroupDiscoveryList";
  list["apiVersion"] = "apidiscovery.k8s.io/" + version;
  list["metadata"] = Json::object();
  list["items"] = std::move(items);
  return list;
}

Json Version(const std::string& release) {
  // The version of Kubernetes whose API this one follows; clients compare it with their own.
  return Json{
      {"major", "1"},    {"minor", "32"},           {"gitVersion", "v1.32.0+updraft-" + release},
      {"gitCommit", ""}, {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
      {"goVersion", ""}, {"compiler", "g++"},       {"platform", "linux/amd64"}};
}

}  // namespace updraft::controller
