// Objects in the forms that clients choose: whole, as a Table or as their metadata alone. Pure.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "controller/api_server/negotiate.h"
#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/base/clock.h"

namespace updraft::controller {

enum class Header { kWithColumns, kWithoutColumns };

struct Presentation {
  const api::Kind* kind = nullptr;
  Format format = {};
  std::string include_object = "Metadata";  // in a Table's rows: None, Metadata, Object
  WallTime now = {};                        // ages are told by it
};

// One object. A Table's columns may be left out where the client has seen them.
Json Present(const Presentation& how, const Json& object, Header header = Header::kWithColumns);

// A list with the version of the store that it was read at.
Json PresentList(const Presentation& how, const std::vector<std::shared_ptr<const Json>>& objects,
                 const std::string& resource_version);

}  // namespace updraft::controller
