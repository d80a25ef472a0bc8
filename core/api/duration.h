// Durations as Go writes them: "300ms", "1h15m30.9s". Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace updraft::api {

// nullopt: no duration, or beyond 290 years.
std::optional<Nanos> ParseGoDuration(std::string_view text);

// Why ParseGoDuration does not take `text`, as Go says it: time: missing unit in duration "5".
std::string ExplainGoDuration(std::string_view text);

// Go's own spelling: "1h0m0s", "1.5s", "20ms", "0s".
std::string FormatGoDuration(Nanos duration);

}  // namespace updraft::api
