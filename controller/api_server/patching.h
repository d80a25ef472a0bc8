// What a PATCH body makes of an object, by its content type. Pure.
#pragma once

#include <string>

#include "controller/api_server/api_error.h"
#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/api/read.h"

namespace updraft::controller {

enum class PatchType { kJson, kMerge, kStrategic, kApply };

// UnsupportedMediaType for anything else, and for strategic merge patches of kinds that do not take
// them.
ApiResult<PatchType> ChoosePatchType(const api::Kind& kind, const std::string& content_type);

// The patched document; it is checked like one that was sent whole. 422 for a patch that does not
// fit.
ApiResult<api::Document> ApplyPatch(const api::Kind& kind, PatchType type, const Json& object,
                                    const api::Document& patch);

}  // namespace updraft::controller
