// Objects in the forms that clients choose: whole, as a Table or as their metadata alone. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/api_server/negotiate.h"
#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/base/clock.h"

namespace updraft::controller {

// The object in the words of its kind: `stored` itself, or what is put into `scratch`.
const Json& Shown(const api::Kind& kind, const Json& stored, Json& scratch);

enum class Header { kWithColumns, kWithoutColumns };

struct Presentation {
  const api::Kind* kind = nullptr;
  Format format = {};
  std::string include_object = "Metadata";  // in a Table's rows: None, Metadata, Object
  WallTime now = {};                        // ages are told by it
};

// One object. A Table's columns may be left out where the client has seen them.
Json Present(const Presentation& how, const Json& stored, Header header = Header::kWithColumns);

// `metadata`: see ListMetadata.
Json PresentList(const Presentation& how, const std::vector<std::shared_ptr<const Json>>& objects,
                 const Json& metadata);

// The version of the store that a list was read at, and whether there is more of it.
Json ListMetadata(int64_t revision, const std::string& continue_token = {},
                  std::optional<int64_t> remaining = std::nullopt);

}  // namespace updraft::controller
