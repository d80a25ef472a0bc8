#include "cli/client/for_each.h"

#include "core/api/meta.h"

namespace updraft::cli {

int ForEachManifest(const Session& session, const ManifestQuery& query,
                    const std::function<Status(const Place& place)>& handle) {
  const Manifests manifests = ReadManifests(
      query,
      {session.console.in, [&](const std::string& url) { return session.client.Download(url); }});
  int exit_code = 0;
  for (const Error& error : manifests.errors) exit_code = Fail(session.console, error);
  for (const ManifestDocument& manifest : manifests.documents) {
    const Result<Place> place = PlaceOf(session, manifest.value);
    const Status handled = place ? handle(*place) : Status(place.error());
    if (handled) continue;
    const std::string what =
        api::KindOf(manifest.value) + " \"" + api::NameOf(manifest.value) + "\"";
    exit_code = Fail(session.console, Context(manifest.source + ": " + what, handled.error()));
  }
  return exit_code;
}

int ForEachResource(const Session& session, const std::vector<std::string>& words,
                    const std::function<Result<std::string>(const ResourceName& resource)>& handle) {
  const Result<std::vector<ResourceName>> resources = ParseResources(words);
  if (!resources) return Fail(session.console, resources.error());
  int exit_code = 0;
  for (const ResourceName& resource : *resources) {
    if (resource.name.empty()) {
      exit_code =
          Fail(session.console, {Code::kInvalidArgument, "say which objects: KIND NAME..."});
      continue;
    }
    const Result<std::string> outcome = handle(resource);
    if (!outcome) {
      exit_code = Fail(session.console, outcome.error());
    } else if (!outcome->empty()) {
      session.console.out << PrintedName(*resource.kind, resource.name) << " " << *outcome
                          << std::endl;
    }
  }
  return exit_code;
}

}  // namespace updraft::cli
