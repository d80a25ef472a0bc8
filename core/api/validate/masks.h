// Which fields of Kubernetes' pods Knative lets through. Pure.
#pragma once

#include <initializer_list>
#include <string_view>

#include "core/api/field_error.h"
#include "core/api/json.h"
#include "core/api/serving_config.h"

namespace updraft::api {

struct AllowedField {
  std::string_view name;
  std::string_view feature = {};  // must not be Disabled in config-features
};

// "must not set the field(s)" with all fields of `object` that are there and not in `allowed`. In the
// canonical form, a zero is there where it means something.
FieldErrors CheckAllowed(const Json& object, std::initializer_list<AllowedField> allowed,
                         const Features& features);

FieldErrors CheckPodFields(const Json& spec, const Features& features);
FieldErrors CheckContainerFields(const Json& container, const Features& features);
FieldErrors CheckPodSecurityFields(const Json& security, const Features& features);
FieldErrors CheckSecurityFields(const Json& security, const Features& features);

}  // namespace updraft::api
