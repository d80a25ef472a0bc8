// Points in time as the API writes them: RFC 3339 in UTC. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace updraft::api {

std::string FormatTimestamp(WallTime time);       // 2026-03-01T10:00:05Z
std::string FormatMicroTimestamp(WallTime time);  // 2026-03-01T10:00:05.000123Z

// Any RFC 3339 text, with a fraction and an offset if it has them.
std::optional<WallTime> ParseTimestamp(std::string_view text);

// How long ago in the words of `kubectl get`: 5s, 3m20s, 2d3h, 400d. "<invalid>" for the future.
std::string FormatAge(Nanos age);

}  // namespace updraft::api
