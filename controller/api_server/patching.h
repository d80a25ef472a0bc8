// What a PATCH body makes of an object, by its content type. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/api_server/admission.h"
#include "controller/api_server/api_error.h"
#include "controller/api_server/request.h"
#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/api/read.h"

namespace updraft::controller {

enum class PatchType { kJson, kMerge, kStrategic, kApply };

// UnsupportedMediaType for anything else, and for strategic merge patches of kinds that do not take
// them.
ApiResult<PatchType> ChoosePatchType(const api::Kind& kind, const std::string& content_type);

// Whether the options fit the patch type: an apply says who applies, nothing else may be forced.
std::optional<ApiError> CheckPatchOptions(PatchType type, const RequestOptions& options);

// The patched document; it is checked like one that was sent whole. 422 for a patch that does not
// fit.
// `type` is not kApply.
ApiResult<api::Document> ApplyPatch(const api::Kind& kind, PatchType type, const Json& object,
                                    const api::Document& patch);

struct AppliedDocument {
  api::Document document = {};
  api::ManagedFields entries = {};
  std::vector<std::string> warnings = {};
};

// What a server-side apply of `configuration` makes of the object `name`, in `ns`; `live` is null
// when there is none. 409 with the fields that others own, unless it is forced.
ApiResult<AppliedDocument> ApplyConfiguration(const AdmissionContext& context, const Json& live,
                                              api::Document configuration,
                                              const ResourceRequest& request, bool force);

}  // namespace updraft::controller
