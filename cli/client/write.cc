// create, replace, diff and edit: manifests that are sent as they are, compared with what is there,
// or changed by hand.
#include "cli/client/for_each.h"
#include "cli/client/merge.h"
#include "cli/client/place.h"
#include "cli/client/program.h"
#include "cli/client/resource.h"
#include "cli/client/verbs.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/read.h"
#include "core/api/write_yaml.h"

namespace updraft::cli {
namespace {

constexpr char kHeader[] =
    "# Please edit the object below. Lines beginning with a '#' will be ignored,\n"
    "# and an empty file will abort the edit.\n#\n";

// What people look at: without who owns which field.
std::string ShownText(Json object) {
  api::Erase(object, {"metadata", "managedFields"});
  return api::WriteYaml(object);
}

// What the server would make of the manifest, but for the note of it that apply leaves.
Result<Json> Merged(const Session& session, const Place& place, const Result<Json>& live) {
  Json wanted = WithLastApplied(place.document);
  api::Erase(wanted, {"metadata", "annotations", kLastApplied});  // what is beside it counts
  if (!live) return session.client.Call(WriteRequest("POST", place.Collection(), wanted, true));
  const Json patch = ThreeWayMergePatch(LastApplied(*live), wanted, *live);
  if (patch.empty()) return *live;
  return session.client.Call(WriteRequest("PATCH", place.Path(), patch, true));
}

// As kubectl names the files: "serving.knative.dev.v1.Service.default.hello".
std::string FileName(const Place& place) {
  const api::Kind& kind = *place.kind;
  return (kind.group.empty() ? "" : kind.group + ".") + kind.version + "." + kind.kind + "." +
         place.namespace_name + "." + place.name;
}

// The merge patch that makes `before` into `after`.
Json Difference(const Json& before, const Json& after) {
  return ThreeWayMergePatch(before, after, before);
}

Result<std::string> EditOne(const Session& session, const ResourceName& resource) {
  const std::string path = ObjectPath(*resource.kind, session.namespace_name, resource.name);
  Result<Json> live = session.client.Call({.path = path});
  if (!live) return live.error();
  api::Erase(*live, {"metadata", "managedFields"});
  ScratchFolder folder;
  const std::string file = folder.path() + "/" + resource.name + ".yaml";
  const std::string text = kHeader + ShownText(*live);
  if (Status written = WriteTextFile(file, text); !written) return written.error();
  const std::string editor = CommandFrom({"KUBE_EDITOR", "VISUAL", "EDITOR"}, "vi");
  if (const int code = RunAtTerminal(editor, {file}); code != 0)
    return Error{Code::kAborted,
                 "the editor \"" + editor + "\" ended with code " + std::to_string(code)};
  const Result<std::string> edited = ReadTextFile(file);
  if (!edited) return edited.error();
  const auto kept = [&](const std::string& why) {
    folder.Keep();
    return Error{Code::kInvalidArgument,
                 why + "\nA copy of your changes has been stored to \"" + file + "\""};
  };
  const Result<std::vector<api::Document>> documents = api::ReadYaml(*edited);
  if (!documents) return kept(documents.error().message);
  const auto cancelled = [&] {
    session.console.err << "Edit cancelled, no changes made." << std::endl;
    return std::string();
  };
  const bool empty = documents->empty() || documents->front().value.is_null();
  if (empty || *edited == text) return cancelled();
  if (documents->size() > 1) return kept("there are several documents: one is edited at a time");
  const Json patch = Difference(*live, documents->front().value);
  if (patch.empty()) return cancelled();
  const Result<Json> patched = session.client.Call(WriteRequest("PATCH", path, patch, false));
  if (!patched) return kept(patched.error().message);
  return std::string("edited");
}

}  // namespace

int Create(const Session& session, const WriteOptions& options) {
  return ForEachManifest(session, options.manifests, [&](Place place) -> Status {
    const Result<Json> created = session.client.Call(
        WriteRequest("POST", place.Collection(), place.document, options.dry_run));
    if (!created) return created.error();
    place.name = api::NameOf(*created);
    PrintOutcome(session, place, "created", options.dry_run);
    return Ok();
  });
}

int Replace(const Session& session, const WriteOptions& options) {
  return ForEachManifest(session, options.manifests, [&](Place place) -> Status {
    if (place.name.empty()) return Error{Code::kInvalidArgument, "metadata.name is missing"};
    // Whoever says no version means whatever is there now.
    if (api::ResourceVersionOf(place.document).empty()) {
      const Result<Json> live = session.client.Call({.path = place.Path()});
      if (!live) return live.error();
      place.document["metadata"]["resourceVersion"] = api::ResourceVersionOf(*live);
    }
    const Result<Json> replaced =
        session.client.Call(WriteRequest("PUT", place.Path(), place.document, options.dry_run));
    if (!replaced) return replaced.error();
    PrintOutcome(session, place, "replaced", options.dry_run);
    return Ok();
  });
}

int Diff(const Session& session, const DiffOptions& options) {
  const ScratchFolder live_folder;
  const ScratchFolder merged_folder;
  const int failed = ForEachManifest(session, options.manifests, [&](const Place& place) -> Status {
    if (place.name.empty()) return Error{Code::kInvalidArgument, "metadata.name is missing"};
    const Result<Json> live = session.client.Call({.path = place.Path()});
    if (!live && live.error().code != Code::kNotFound) return live.error();
    const Result<Json> merged = Merged(session, place, live);
    if (!merged) return merged.error();
    const std::string file = "/" + FileName(place);
    Status written = WriteTextFile(merged_folder.path() + file, ShownText(*merged));
    if (written && live) written = WriteTextFile(live_folder.path() + file, ShownText(*live));
    return written;
  });
  if (failed != 0) return kDiffFailed;
  const Ran ran = RunForOutput(CommandFrom({"KUBECTL_EXTERNAL_DIFF"}, "diff -u -N"),
                               {live_folder.path(), merged_folder.path()});
  session.console.out << ran.output << std::flush;
  return ran.exit_code;
}

int Edit(const Session& session, const EditOptions& options) {
  return ForEachResource(session, options.resources,
                         [&](const ResourceName& resource) { return EditOne(session, resource); });
}

}  // namespace updraft::cli
