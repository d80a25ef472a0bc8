// The JSON value that resources are held and exchanged in.
#pragma once

#include <nlohmann/json.hpp>

namespace updraft {

using Json = nlohmann::json;

}  // namespace updraft
