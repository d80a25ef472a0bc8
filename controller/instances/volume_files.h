// The volumes of a Revision: files from Secrets and ConfigMaps, empty directories, and those of
// PersistentVolumeClaims. Pure.
#pragma once

#include "controller/instances/revision_spec.h"
#include "core/api/json.h"
#include "core/base/result.h"
#include "updraft/v1/node.pb.h"

namespace updraft::controller {

// Adds to `out` what the pod spec's volumes hold. kFailedPrecondition: an object or key that is not
// optional is missing, or a source that Updraft does not have; the message is for the user.
Status ReadVolumes(const Json& pod_spec, const NamedObjects& named, const DownwardFields& fields,
                   v1::InstanceSpec& out);

}  // namespace updraft::controller
