// How a client wants an object deleted: body and query of a DELETE. Pure.
#pragma once

#include <optional>
#include <string>

#include "controller/api_server/api_error.h"
#include "controller/api_server/request.h"
#include "controller/objects/deletion.h"
#include "core/api/json.h"

namespace updraft::controller {

struct DeleteOptions {
  Propagation propagation = Propagation::kBackground;
  bool dry_run = false;
  std::string uid = {};  // preconditions; empty: none
  std::string resource_version = {};
};

// `body`: a DeleteOptions document or null.
ApiResult<DeleteOptions> ParseDeleteOptions(const RequestOptions& query, const Json& body);

// 409 when a precondition does not hold, 403 for what the platform needs.
std::optional<ApiError> CheckDeletable(const api::Kind& kind, const Json& object,
                                       const DeleteOptions& options);

}  // namespace updraft::controller
