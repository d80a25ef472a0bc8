// The parts of pod validation, one function per part of the manifest. Pure. Paths are relative to
// the value that is handed in.
#pragma once

#include <map>
#include <set>
#include <string>

#include "core/api/field_error.h"
#include "core/api/json.h"
#include "core/api/serving_config.h"

namespace updraft::api {

enum class ContainerRole { kServing, kSidecar, kInit };

// Volumes by name, as mounts look them up.
using VolumesByName = std::map<std::string, const Json*>;

FieldErrors ValidateVolumes(const Json& volumes, const std::set<std::string>& mounted,
                            const Features& features);
FieldErrors ValidateMounts(const Json& mounts, const VolumesByName& volumes,
                           const Features& features);

// `port_name`: of the serving port, which a named probe port must equal. Serving containers alone
// may leave the port out.
FieldErrors ValidateProbe(const Json& probe, ContainerRole role, const std::string& port_name);
FieldErrors ValidateReadinessProbe(const Json& probe, ContainerRole role,
                                   const std::string& port_name);

FieldErrors ValidateContainer(const Json& container, ContainerRole role,
                              const std::string& port_name, const VolumesByName& volumes,
                              const Features& features);
FieldErrors ValidateSecurity(const Json& security, const Features& features);
FieldErrors ValidatePodSecurity(const Json& security, const Features& features);
// Warnings about what is left at Kubernetes' insecure defaults.
FieldErrors WarnInsecureDefaults(const Json& pod, const Json& container, const Features& features);

// User and group ids: 0 to 2^31-1.
void CheckId(const Json& security, const char* field, FieldErrors& errors);

}  // namespace updraft::api
