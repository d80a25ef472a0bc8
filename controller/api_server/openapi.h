// The OpenAPI documents: what clients check manifests with and `kubectl explain` prints. Pure;
// built from the table of kinds, once.
#pragma once

#include <map>
#include <string>

#include "controller/api_server/discovery.h"
#include "core/api/json.h"
#include "core/api/schema.h"

namespace updraft::controller {

enum class OpenApiDialect { kV2, kV3 };

// A schema as `dialect` writes it. What it refers to by name is added to `definitions`.
Json WriteSchema(const api::Schema& schema, OpenApiDialect dialect,
                 std::map<std::string, Json>& definitions);

Json OpenApiV2(const std::string& release);
Json OpenApiV3(const GroupVersion& version, const std::string& release);

// GET /openapi/v3: where the documents of the groups are. `documents`: by path, as they are served.
Json OpenApiV3Index(const std::map<std::string, std::string>& documents);

// An OpenAPI v2 document in the protobuf form of gnostic, which kubectl before 1.24 insists on.
std::string OpenApiV2Proto(const Json& document);

}  // namespace updraft::controller
