// A verb on several objects: what goes wrong with one is printed and keeps none of the others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/client/manifest.h"
#include "cli/client/place.h"
#include "cli/client/resource.h"
#include "cli/client/session.h"
#include "core/base/result.h"

namespace updraft::cli {

// Runs `handle` for each object of the manifests, in their order. Gives the exit code.
int ForEachManifest(const Session& session, const ManifestQuery& query,
                    const std::function<Status(const Place& place)>& handle);

// Runs `handle` for each object that the words name; it gives what is printed after the object's name, or nothing if
// nothing is to be printed. Gives the exit code.
int ForEachResource(const Session& session, const std::vector<std::string>& words,
                    const std::function<Result<std::string>(const ResourceName& resource)>& handle);

}  // namespace updraft::cli
