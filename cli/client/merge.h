// What `apply` sends: the difference between what the user wrote last time, what he writes now and
// what the server has, as kubectl computes it for JSON merge patches. Pure.
#pragma once

#include <string_view>

#include "core/api/json.h"

namespace updraft::cli {

inline constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// `document` with the annotation that says what was applied: the document itself, without the
// annotation.
Json WithLastApplied(const Json& document);

// What was applied last, from the annotation; null when there is none or it makes no sense.
Json LastApplied(const Json& current);

// The merge patch that brings `current` to `modified`: what the user wrote is set; what he wrote
// last time
// (`original`) and not any more is removed; what others added stays. An empty object: nothing to
// do.
Json ThreeWayMergePatch(const Json& original, const Json& modified, const Json& current);

}  // namespace updraft::cli
