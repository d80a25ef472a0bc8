// The members of nlohmann::json, for every file that has cmake/pch/std.h.
#include <nlohmann/json.hpp>

template class nlohmann::basic_json<>;
