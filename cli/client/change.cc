// patch, label, annotate, cordon, uncordon and drain: objects that are there are changed in place.
#include <set>

#include "cli/client/for_each.h"
#include "cli/client/resource.h"
#include "cli/client/verbs.h"
#include "cli/client/watch.h"
#include "core/api/access.h"
#include "core/api/json.h"
#include "core/api/meta.h"
#include "core/api/read.h"

namespace updraft::cli {
namespace {

struct Patching {
  std::string body{};
  std::string type = "merge";
  bool dry_run = false;
};

// What the object has become, and whether that is anything new.
struct Patched {
  Json object{};
  bool changed = false;
};

Result<Patched> PatchOne(const Session& session, const ResourceName& resource,
                         const Patching& patching) {
  const std::string path = ObjectPath(*resource.kind, session.namespace_name, resource.name);
  const Result<Json> before = session.client.Call({.path = path});
  if (!before) return before.error();
  ApiRequest request{.method = "PATCH", .path = path, .body = patching.body};
  const bool strategic = patching.type == "strategic";
  request.content_type =
      "application/" + (strategic ? "strategic-merge" : patching.type) + "-patch+json";
  request.query = {{"fieldManager", "updraft"}};
  if (patching.dry_run) request.query.emplace_back("dryRun", "All");
  Result<Json> after = session.client.Call(request);
  if (!after) return after.error();
  Json plain = *before;
  Json changed = *after;
  for (Json* object : {&plain, &changed}) api::Erase(*object, {"metadata", "managedFields"});
  return Patched{.object = *std::move(after), .changed = plain != changed};
}

// KEY=VALUE sets and KEY- removes; everything else names objects.
struct Marks {
  std::vector<std::string> words{};
  Json values = Json::object();  // null: to be removed
};

Marks ParseMarks(const std::vector<std::string>& arguments) {
  Marks marks;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals != std::string::npos) {
      marks.values[argument.substr(0, equals)] = argument.substr(equals + 1);
    } else if (argument.ends_with('-')) {
      marks.values[argument.substr(0, argument.size() - 1)] = nullptr;
    } else {
      marks.words.push_back(argument);
    }
  }
  return marks;
}

// A value that is there already is not lost by accident.
Status CheckOverwrites(const Json& present, const Json& values) {
  for (const auto& [key, value] : values.items()) {
    const std::string there = api::StringAt(present, {key});
    if (value.is_null() || api::Find(present, {key}) == nullptr || value == there) continue;
    return Error{Code::kInvalidArgument,
                 "'" + key + "' already has a value (" + there + "), and --overwrite is false"};
  }
  return Ok();
}

Result<std::string> MarkOne(const Session& session, MarkField field, const ResourceName& resource,
                            const Marks& marks, bool overwrite) {
  const bool labels = field == MarkField::kLabels;
  const char* const member = labels ? "labels" : "annotations";
  const std::string path = ObjectPath(*resource.kind, session.namespace_name, resource.name);
  const Result<Json> live = session.client.Call({.path = path});
  if (!live) return live.error();
  const Json& present = api::ObjectAt(*live, {"metadata", member});
  if (Status fits = CheckOverwrites(present, marks.values); !fits && !overwrite)
    return fits.error();
  const Json patch = {{"metadata", {{member, marks.values}}}};
  const Result<Patched> patched = PatchOne(session, resource, {.body = api::ToText(patch)});
  if (!patched) return patched.error();
  if (!labels) return std::string("annotated");
  if (!patched->changed) return std::string("not labeled");
  bool removes = true;
  for (const auto& [key, value] : marks.values.items()) removes = removes && value.is_null();
  return std::string(removes ? "unlabeled" : "labeled");
}

Result<std::string> SetSchedulable(const Session& session, const ResourceName& node,
                                   Schedulable wish) {
  const bool cordon = wish == Schedulable::kNo;
  const std::string word = cordon ? "cordoned" : "uncordoned";
  const Json spec = {{"unschedulable", cordon ? Json(true) : Json(nullptr)}};
  const Result<Patched> patched =
      PatchOne(session, node, {.body = api::ToText(Json{{"spec", spec}})});
  if (!patched) return patched.error();
  return patched->changed ? word : "already " + word;
}

std::vector<std::string> NodesFrom(const std::vector<std::string>& names) {
  std::vector<std::string> words = {"nodes"};
  words.insert(words.end(), names.begin(), names.end());
  return words;
}

struct PodOnNode {
  std::string namespace_name{};
  std::string name{};
};

Status EvictOne(const Session& session, const PodOnNode& pod) {
  const Json eviction = {{"apiVersion", "policy/v1"},
                         {"kind", "Eviction"},
                         {"metadata", {{"name", pod.name}, {"namespace", pod.namespace_name}}}};
  const api::Kind& pods = *api::FindKind("v1", "Pod");
  const Result<Json> evicted =
      session.client.Call({.method = "POST",
                           .path = ObjectPath(pods, pod.namespace_name, pod.name) + "/eviction",
                           .body = api::ToText(eviction)});
  if (evicted || evicted.error().code == Code::kNotFound) return Ok();
  return evicted.error();
}

Result<std::string> EvictAll(const Session& session, const std::string& node, Nanos timeout) {
  const api::Kind& kind = *api::FindKind("v1", "Pod");
  const QueryParameters on_node = {{"fieldSelector", "spec.nodeName=" + node}};
  const Result<Json> list =
      session.client.Call({.path = CollectionPath(kind, ""), .query = on_node});
  if (!list) return list.error();
  std::set<std::string> leaving;
  for (const Json& item : api::ArrayAt(*list, {"items"})) {
    const PodOnNode pod{api::NamespaceOf(item), api::NameOf(item)};
    session.console.out << "evicting pod " << pod.namespace_name << "/" << pod.name << std::endl;
    if (Status evicted = EvictOne(session, pod); !evicted) return evicted.error();
    leaving.insert(pod.name);
  }
  const WatchQuery query{.path = CollectionPath(kind, ""),
                         .selectors = on_node,
                         .deadline = RealClock().Now() + timeout};
  const Result<bool> gone = WatchObjects(session.client, query, [&](const ObjectsByName& objects) {
    std::erase_if(leaving, [&](const std::string& name) {
      bool there = false;
      for (const auto& [key, object] : objects) there = there || api::NameOf(object) == name;
      if (!there) session.console.out << "pod/" << name << " evicted" << std::endl;
      return !there;
    });
    return !leaving.empty();
  });
  if (!gone) return gone.error();
  if (!*gone) return Error{Code::kDeadlineExceeded, "timed out waiting for pods to be gone"};
  return std::string("drained");
}

}  // namespace

int Patch(const Session& session, const PatchOptions& options) {
  const Result<std::vector<api::Document>> patch = api::ReadYaml(options.patch);
  if (!patch || patch->size() != 1) {
    const std::string why = patch ? "one document is needed" : patch.error().message;
    return Fail(session.console, {Code::kInvalidArgument, "unable to parse the patch: " + why});
  }
  const Patching patching{
      .body = api::ToText(patch->front().value), .type = options.type, .dry_run = options.dry_run};
  return ForEachResource(session, options.resources, [&](const ResourceName& resource) -> Result<std::string> {
    const Result<Patched> patched = PatchOne(session, resource, patching);
    if (!patched) return patched.error();
    const std::string how = options.dry_run ? " (server dry run)" : "";
    return "patched" + (patched->changed ? how : " (no change)" + how);
  });
}

int Mark(const Session& session, MarkField field, const MarkOptions& options) {
  const Marks marks = ParseMarks(options.arguments);
  if (marks.values.empty())
    return Fail(session.console, {Code::kInvalidArgument, "say KEY=VALUE, or KEY- to remove one"});
  return ForEachResource(session, marks.words, [&](const ResourceName& resource) {
    return MarkOne(session, field, resource, marks, options.overwrite);
  });
}

int Cordon(const Session& session, const std::vector<std::string>& nodes, Schedulable wish) {
  return ForEachResource(session, NodesFrom(nodes),
                         [&](const ResourceName& node) { return SetSchedulable(session, node, wish); });
}

int Drain(const Session& session, const DrainOptions& options) {
  if (const int failed = Cordon(session, options.nodes, Schedulable::kNo)) return failed;
  return ForEachResource(session, NodesFrom(options.nodes), [&](const ResourceName& node) {
    return EvictAll(session, node.name, options.timeout);
  });
}

}  // namespace updraft::cli
