// What differs between two documents, for people. Pure.
#pragma once

#include <string>

#include "core/api/json.h"

namespace updraft::api {

// One paragraph per value that differs: "spec.containers[0].image:\n\t-: \"a\"\n\t+: \"b\"\n".
// Empty when the documents are equal; amounts such as "1" and "1000m" are compared as text.
std::string DiffText(const Json& before, const Json& after);

}  // namespace updraft::api
