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

std::vector<std::string> StatusVerbs() { return {"get", "patch", "update"}; }

Json Subresource(const Kind& kind, const char* name, const std::vector<std::string>& verbs) {
  return Json{{"name", kind.plural + "/" + name},
              {"singularName", ""},
              {"namespaced", kind.namespaced},
              {"kind", kind.kind},
              {"verbs", verbs}};
}

Json ResponseKind(const Kind& kind) {
  return Json{{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}};
}

Json AggregatedSubresource(const Kind& kind, const char* name,
                           const std::vector<std::string>& verbs) {
  return Json{{"subresource", name}, {"responseKind", ResponseKind(kind)}, {"verbs", verbs}};
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
  if (kind.has_status) subresources.push_back(AggregatedSubresource(kind, "status", StatusVerbs()));
  if (kind.kind == "Pod") subresources.push_back(AggregatedSubresource(kind, "log", {"get"}));
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
    if (kind.has_status) resources.push_back(Subresource(kind, "status", StatusVerbs()));
    if (kind.kind == "Pod") resources.push_back(Subresource(kind, "log", {"get"}));
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
