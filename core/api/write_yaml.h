// A document as YAML, in the style of `kubectl get -o yaml`. Pure.
#pragma once

#include <string>

#include "core/api/json.h"

namespace updraft::api {

// Block style, two spaces, lists not indented, members in the order of their names; texts are
// quoted where they would read as something else. Ends with a line feed.
std::string WriteYaml(const Json& document);

}  // namespace updraft::api
