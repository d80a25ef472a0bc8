// An object for people to read, as `kubectl describe` shows kinds that it does not know. Pure.
#pragma once

#include <string>

#include "core/api/json.h"
#include "core/base/clock.h"

namespace updraft::cli {

// `events`: core/v1 Event objects about it, in any order.
std::string Describe(const Json& object, const Json& events);

}  // namespace updraft::cli
