// The patch formats: three ways to say what is to change in an object. Pure. Each gives the changed
// document, which the caller checks like any other.
#pragma once

#include "core/api/json.h"
#include "core/api/schema.h"
#include "core/base/result.h"

namespace updraft::api {

// RFC 7386: objects merge, null removes, everything else replaces.
Json MergePatch(Json target, const Json& patch);

// RFC 6902. kInvalidArgument: not a patch, a path that does not exist, a test that fails. At most
// 10,000 operations.
Result<Json> JsonPatch(Json target, const Json& patch);

// Kubernetes' strategic merge patch by the schema's merge keys. Of its directives $patch (delete,
// replace, merge), $deleteFromPrimitiveList, $setElementOrder (which orders) and $retainKeys work.
Result<Json> StrategicMergePatch(const Schema& schema, Json target, const Json& patch);

}  // namespace updraft::api
