// Events as events.k8s.io/v1 shows them: the same objects as those of v1, with other names for
// their fields. Pure.
#pragma once

#include <string>

#include "core/api/json.h"

namespace updraft::api {

Json EventFromStored(const Json& event);  // v1 to events.k8s.io/v1
Json EventToStored(const Json& event);    // the other way round

// A field selector about events.k8s.io/v1, in the names of v1.
std::string EventSelectorToStored(std::string selector);

}  // namespace updraft::api
