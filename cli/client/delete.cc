#include <algorithm>

#include "cli/client/resource.h"
#include "cli/client/verbs.h"
#include "cli/client/watch.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::cli {
namespace {

struct Doomed {
  const api::Kind* kind = nullptr;
  std::string namespace_name{};
  std::string name{};
  std::string uid{};  // of the object that was deleted
};

Result<std::vector<Doomed>> FromWords(const Session& session, const DeleteOptions& options) {
  const Result<std::vector<ResourceName>> resources = ParseResources(options.resources);
  if (!resources) return resources.error();
  std::vector<Doomed> targets;
  for (const ResourceName& resource : *resources) {
    if (!resource.name.empty()) {
      targets.push_back({resource.kind, session.namespace_name, resource.name});
      continue;
    }
    if (options.selector.empty() && !options.all) {
      return Error{Code::kInvalidArgument, "name what to delete, select it with -l, or say --all"};
    }
    ApiRequest request{.path = CollectionPath(*resource.kind, session.namespace_name)};
    if (!options.selector.empty()) request.query.emplace_back("labelSelector", options.selector);
    const Result<Json> list = session.client.Call(request);
    if (!list) return list.error();
    for (const Json& item : api::ArrayAt(*list, {"items"})) {
      targets.push_back({resource.kind, session.namespace_name, api::NameOf(item)});
    }
  }
  return targets;
}

// What manifests name; what is wrong with them is printed and makes the exit code.
std::vector<Doomed> FromManifests(const Session& session, const DeleteOptions& options,
                                  int& exit_code) {
  const Manifests manifests = ReadManifests(
      options.manifests,
      {session.console.in, [&](const std::string& url) { return session.client.Download(url); }});
  for (const Error& error : manifests.errors) exit_code = Fail(session.console, error);
  std::vector<Doomed> targets;
  for (const ManifestDocument& manifest : manifests.documents) {
    const api::Kind* kind =
        api::FindKind(api::ApiVersionOf(manifest.value), api::KindOf(manifest.value));
    const std::string name = api::NameOf(manifest.value);
    if (kind == nullptr || name.empty()) {
      exit_code = Fail(session.console,
                       {Code::kInvalidArgument,
                        manifest.source + ": needs a known apiVersion and kind, and a name"});
      continue;
    }
    const std::string own = api::NamespaceOf(manifest.value);
    targets.push_back({kind, own.empty() ? session.namespace_name : own, name});
  }
  return targets;
}

std::string Policy(const std::string& cascade) {
  if (cascade == "foreground") return "Foreground";
  return cascade == "orphan" ? "Orphan" : "Background";
}

// The uid of what was deleted; empty when there was nothing and that is fine.
Result<std::string> DeleteOne(const Session& session, const Doomed& target,
                              const DeleteOptions& options) {
  const std::string path = ObjectPath(*target.kind, target.namespace_name, target.name);
  const Json body = {{"kind", "DeleteOptions"},
                     {"apiVersion", "v1"},
                     {"propagationPolicy", Policy(options.cascade)}};
  const Result<Json> answer =
      session.client.Call({.method = "DELETE", .path = path, .body = api::ToText(body)});
  if (!answer) {
    if (options.ignore_not_found && answer.error().code == Code::kNotFound) return std::string();
    return answer.error();
  }
  // The answer is the object, or a Status with its uid.
  const std::string uid = api::UidOf(*answer);
  return uid.empty() ? api::StringAt(*answer, {"details", "uid"}) : uid;
}

// Until the object is gone, or another one of its name is there.
Status AwaitGone(const Session& session, const Doomed& target, TimePoint deadline) {
  const WatchQuery query{.path = CollectionPath(*target.kind, target.namespace_name),
                         .selectors = {{"fieldSelector", "metadata.name=" + target.name}},
                         .deadline = deadline};
  std::string uid = target.uid;
  const Result<bool> gone = WatchObjects(session.client, query, [&](const ObjectsByName& objects) {
    if (objects.empty()) return false;
    const std::string there = api::UidOf(objects.begin()->second);
    if (uid.empty()) uid = there;
    return there == uid;
  });
  if (!gone) return gone.error();
  if (!*gone) return Error{Code::kDeadlineExceeded, "timed out waiting for it to be gone"};
  return Ok();
}

}  // namespace

int Delete(const Session& session, const DeleteOptions& options) {
  int exit_code = 0;
  std::vector<Doomed> targets = FromManifests(session, options, exit_code);
  if (!options.resources.empty() || options.manifests.sources.empty()) {
    Result<std::vector<Doomed>> named = FromWords(session, options);
    if (!named) return Fail(session.console, named.error());
    std::ranges::move(*named, std::back_inserter(targets));
  }
  std::vector<Doomed> deleted;
  for (Doomed& target : targets) {
    Result<std::string> uid = DeleteOne(session, target, options);
    if (!uid) {
      exit_code = Fail(session.console, uid.error());
      continue;
    }
    target.uid = *std::move(uid);
    session.console.out << PrintedKind(*target.kind) << " \"" << target.name << "\" deleted"
                        << std::endl;
    deleted.push_back(target);
  }
  const TimePoint deadline = RealClock().Now() + options.timeout;
  for (const Doomed& target : deleted) {
    if (!options.wait) break;
    if (Status gone = AwaitGone(session, target, deadline); !gone) {
      exit_code =
          Fail(session.console, Context(PrintedName(*target.kind, target.name), gone.error()));
    }
  }
  return exit_code;
}

}  // namespace updraft::cli
