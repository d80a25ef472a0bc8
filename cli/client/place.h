// What a manifest is about, and where the API has it.
#pragma once

#include <string>

#include "cli/client/rest_client.h"
#include "cli/client/session.h"
#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/base/result.h"

namespace updraft::cli {

struct Place {
  const api::Kind* kind = nullptr;
  std::string namespace_name{};  // filled in where the manifest has none
  std::string name{};            // empty: the server completes a generateName
  Json document{};

  std::string Collection() const;
  std::string Path() const;
};

// kInvalidArgument: no known kind, no name at all, or another namespace than -n says.
Result<Place> PlaceOf(const Session& session, Json document);

// POST, PUT or PATCH (a merge patch) as this program, with unknown fields refused.
ApiRequest WriteRequest(const std::string& method, const std::string& path, const Json& body,
                        bool dry_run);

// "service.serving.knative.dev/hello created (server dry run)"
void PrintOutcome(const Session& session, const Place& place, const std::string& outcome,
                  bool dry_run);

}  // namespace updraft::cli
