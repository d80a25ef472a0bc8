// What `explain` prints of a kind or of a field, as kubectl does. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/api/kinds.h"
#include "core/base/result.h"

namespace updraft::cli {

// `path`: the names of fields, outermost first. `recursive`: all fields below, without their
// descriptions. kNotFound: there is no such field.
Result<std::string> ExplainText(const api::Kind& kind, const std::vector<std::string>& path,
                                bool recursive);

}  // namespace updraft::cli
