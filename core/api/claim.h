// PersistentVolumeClaims: each stands for a directory of its own on every node, as a provisioner of
// local paths gives. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.h"
#include "core/api/validation.h"

namespace updraft::api {

// Fills in what is left out, and the status: bound at once, unless it asks for what no directory
// is.
void SetClaimDefaults(Json& claim);

// Kubernetes' own rules. `old`: null on a create.
std::vector<FieldProblem> ValidateClaim(const Json& claim, const Json* old);

bool IsBound(const Json& claim);

// "pvc-UID": what the claim is bound to, and the name of its directory on nodes.
std::string VolumeOfClaim(const Json& claim);

}  // namespace updraft::api
