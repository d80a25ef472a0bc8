// The parts of a DomainMapping that no other kind has. Pure.
#pragma once

#include <string_view>

#include "core/api/field_error.h"
#include "core/api/json.h"

namespace updraft::api {

// Relative to the metadata: its name is a domain name, and not one of the cluster's own.
FieldErrors CheckDomainName(const Json& object);

// Relative to the reference, of an object in namespace `ns`.
FieldErrors CheckReference(const Json& reference, std::string_view ns);

}  // namespace updraft::api
