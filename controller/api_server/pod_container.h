// Which of a pod's containers a client means. Pure.
#pragma once

#include <string>

#include "controller/api_server/api_error.h"
#include "core/api/json.h"

namespace updraft::controller {

// The one that it names, the only one, or the one marked as default. 400: there is no such
// container, or several.
ApiResult<std::string> ChooseContainer(const Json& pod, const std::string& asked);

}  // namespace updraft::controller
